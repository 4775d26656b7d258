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

  // The plots one below the other, with their titles, on white; below them a line that says what is shown.
  function plots(plots, caption, name) {
    const title = Math.round(22 * devicePixelRatio);
    const sheet = document.createElement("canvas");
    sheet.width = Math.max(...plots.map((plot) => plot.ctx.canvas.width));
    sheet.height = plots.reduce((sum, plot) => sum + plot.ctx.canvas.height + title, title);
    const context = sheet.getContext("2d");
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
    context.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    context.fillText(caption, 8, top + title * 0.75, sheet.width - 16);
    asFile(sheet, name);
  }

  return { picture: asFile, plots };
})();
