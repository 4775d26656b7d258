"use strict";

// An image with contrast, zoom and position.
CellViewer.Picture = class {
  constructor(canvas) {
    this.canvas = canvas;
    this.bitmap = document.createElement("canvas");
    this.bitmap.width = this.bitmap.height = 0;
    this.pixels = null;
    this.showAll();
  }

  get height() { return this.bitmap.height; }
  get width() { return this.bitmap.width; }

  setSize(height, width) {
    if (this.bitmap.height === height && this.bitmap.width === width) return;
    this.bitmap.height = height;
    this.bitmap.width = width;
    this.canvas.height = Math.round((this.canvas.width * height) / width);
    this.pixels = null;
    this.showAll();
  }

  setPixels(pixels) {
    this.pixels = pixels;
    this.sorted = Float32Array.from(pixels.filter((value) => !Number.isNaN(value))).sort();
  }

  // Black and white are parts of all pixels: one bright vessel leaves the rest as it was.
  setContrast(black, white) {
    if (!this.pixels) return;
    const at = (part) => this.sorted[Math.round(part * (this.sorted.length - 1))] ?? 0;
    const low = at(Math.min(black, white)), high = at(Math.max(black, white));
    const image = new ImageData(this.width, this.height);
    const gain = 255 / (high - low || 1);
    for (let i = 0; i < this.pixels.length; i++) {
      const value = this.pixels[i];
      const grey = Number.isNaN(value) ? 0 : (value - low) * gain;
      // Values outside of 0 to 255 are clamped by ImageData.
      image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = grey;
      image.data[4 * i + 3] = 255;
    }
    this.bitmap.getContext("2d").putImageData(image, 0, 0);
  }

  showAll() {
    this.zoom = 1;
    this.x = this.y = 0;
  }

  // Canvas pixels of one pixel of the image, and the pixel of the image at a position on the screen.
  get scale() { return (this.canvas.width / Math.max(this.width, 1)) * this.zoom; }

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const perPixel = this.canvas.width / box.width;
    return {
      x: (event.clientX - box.left) * perPixel / this.scale + this.x,
      y: (event.clientY - box.top) * perPixel / this.scale + this.y,
    };
  }

  zoomAt(event, factor) {
    const before = this.at(event);
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), 40);
    const after = this.at(event);
    this.moveBy(before.x - after.x, before.y - after.y);
  }

  moveBy(x, y) {
    const within = (value, size) => Math.min(Math.max(value, 0), size - size / this.zoom);
    this.x = within(this.x + x, this.width);
    this.y = within(this.y + y, this.height);
  }

  begin() {
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(this.scale, 0, 0, this.scale, -this.x * this.scale, -this.y * this.scale);
    context.imageSmoothingEnabled = this.zoom < 3;
    if (this.pixels) context.drawImage(this.bitmap, 0, 0);
    return context;
  }
};
