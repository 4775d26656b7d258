"use strict";

// Saves what is shown as a picture.
CellViewer.save = (() => {
  function asFile(canvas, name) {
    canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      // Later: the browser reads from the address while it saves the file.
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }, "image/png");
  }

  // The entries of a legend with their places, in as many lines as the width needs.
  function placed(context, legend, width, lineHeight) {
    let [left, line] = [lineHeight / 2, 0];
    return legend.map((entry) => {
      const length = context.measureText(entry.title).width + 2 * lineHeight;
      if (left > lineHeight / 2 && left + length > width) [left, line] = [lineHeight / 2, line + 1];
      const place = { ...entry, left, line };
      left += length;
      return place;
    });
  }

  // The plots one below the other, with their titles, on white; below them the title and colour of each line.
  function plots(plots, legend, name) {
    const title = Math.round(22 * devicePixelRatio);
    const sheet = document.createElement("canvas");
    const context = sheet.getContext("2d");
    const legendFont = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    sheet.width = Math.max(...plots.map((plot) => plot.ctx.canvas.width));
    context.font = legendFont;
    const entries = placed(context, legend, sheet.width, title);
    sheet.height = plots.reduce((sum, plot) => sum + plot.ctx.canvas.height + title, title * (entries.at(-1).line + 1));
    context.fillStyle = "#fff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    context.fillStyle = "#1a2226";
    context.font = `600 ${14 * devicePixelRatio}px system-ui, sans-serif`;
    let top = 0;
    for (const plot of plots) {
      context.fillText(plot.title ?? plot.root.querySelector(".u-title").textContent, 8, top + title * 0.75);
      context.drawImage(plot.ctx.canvas, 0, top + title);
      top += plot.ctx.canvas.height + title;
    }
    context.font = legendFont;
    for (const { title: text, colour, left, line } of entries) {
      const lineTop = top + line * title;
      context.fillStyle = colour;
      context.fillRect(left, lineTop + title * 0.25, title / 2, title / 2);
      context.fillStyle = "#1a2226";
      context.fillText(text, left + title * 0.75, lineTop + title * 0.7, sheet.width - left - title);
    }
    asFile(sheet, name);
  }

  return { picture: asFile, plots };
})();
