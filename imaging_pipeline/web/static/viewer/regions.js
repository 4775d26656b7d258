"use strict";

// The cells' pixels: to fill, to outline, to hit.
CellViewer.Regions = class {
  constructor(data) {
    this.ids = data.cell_ids;
    this.planes = data.planes;
    this.measures = data.measures;
    this.cells = this.ids.map((id) => ({ id, runs: [] }));
    const { region, y, first, end } = data.runs;
    region.forEach((number, i) => this.cells[number].runs.push([y[i], first[i], end[i]]));
    this.atPixel = new Map();
    this.cells.forEach((cell, number) => this._prepare(cell, number));
  }

  // One number for a pixel; no image is 65,536 px wide.
  static key(x, y) { return y * 65536 + x; }

  _prepare(cell, number) {
    const pixels = new Set();
    let sumX = 0, sumY = 0;
    cell.area = new Path2D();
    for (const [y, first, end] of cell.runs) {
      cell.area.rect(first, y, end - first, 1);
      for (let x = first; x < end; x++) {
        const key = CellViewer.Regions.key(x, y);
        pixels.add(key);
        sumX += x + 0.5;
        sumY += y + 0.5;
        if (!this.atPixel.has(key)) this.atPixel.set(key, []);
        this.atPixel.get(key).push(number);
      }
    }
    cell.x = sumX / pixels.size;
    cell.y = sumY / pixels.size;
    cell.outline = this._outline(cell, pixels);
  }

  // Every side of a pixel whose neighbour is none of the cell's.
  _outline(cell, pixels) {
    const path = new Path2D();
    const side = (x0, y0, x1, y1) => { path.moveTo(x0, y0); path.lineTo(x1, y1); };
    for (const [y, first, end] of cell.runs) {
      side(first, y, first, y + 1);
      side(end, y, end, y + 1);
      for (let x = first; x < end; x++) {
        if (!pixels.has(CellViewer.Regions.key(x, y - 1))) side(x, y, x + 1, y);
        if (!pixels.has(CellViewer.Regions.key(x, y + 1))) side(x, y + 1, x + 1, y + 1);
      }
    }
    return path;
  }

  isShown(number, plane) { return plane === null || this.planes[number] === plane; }

  // Where cells overlap, clicking again gives the next one.
  hit(x, y, plane, selected) {
    const there = (this.atPixel.get(CellViewer.Regions.key(Math.floor(x), Math.floor(y))) ?? [])
      .filter((number) => this.isShown(number, plane));
    if (!there.length) return null;
    const last = there.findIndex((number) => selected.includes(this.ids[number]));
    return this.ids[there[(last + 1) % there.length]];
  }

  draw(context, { colours, plane, selected, outlines, numbers, scale }) {
    if (outlines) this._drawOutlines(context, { colours, plane, selected, scale });
    if (numbers) this._drawNumbers(context, plane, scale);
  }

  _drawOutlines(context, { colours, plane, selected, scale }) {
    context.lineWidth = 1 / scale;
    this.cells.forEach((cell, number) => {
      if (!this.isShown(number, plane)) return;
      const isSelected = selected.includes(cell.id);
      context.fillStyle = context.strokeStyle = colours[number];
      context.globalAlpha = isSelected ? 0.55 : 0.28;
      context.fill(cell.area);
      context.globalAlpha = 1;
      context.stroke(cell.outline);
    });
    context.strokeStyle = "#fff";
    context.lineWidth = 2.5 / scale;
    for (const cell of this.cells) if (selected.includes(cell.id)) context.stroke(cell.outline);
  }

  _drawNumbers(context, plane, scale) {
    context.font = `${11 / scale}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3 / scale;
    context.strokeStyle = "#000";
    context.fillStyle = "#fff";
    this.cells.forEach((cell, number) => {
      if (!this.isShown(number, plane)) return;
      context.strokeText(cell.id, cell.x, cell.y);
      context.fillText(cell.id, cell.x, cell.y);
    });
  }
};
