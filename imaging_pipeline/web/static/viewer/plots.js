"use strict";

// The traces of the selected cells, one below the other, over the same stretch of time.
CellViewer.QUANTITIES = {
  df_f: { label: "dF/F", scale: "change", colour: "#0b6b5d", width: 1.25 },
  fluo: { label: "Fluorescence", scale: "fluorescence", colour: "#2456a6", width: 1 },
  neuropil: { label: "Neuropil", scale: "fluorescence", colour: "#9a5b00", width: 1 },
  second_df_f: { label: "dF/F, second channel", scale: "change", colour: "#8e2a7f", width: 1 },
  second_fluo: { label: "Fluorescence, second channel", scale: "fluorescence", colour: "#c2185b", width: 1 },
  second_neuropil: { label: "Neuropil, second channel", scale: "fluorescence", colour: "#a0765b", width: 1 },
  spikes: { label: "Spikes", scale: "activity", colour: "#7d8990", width: 1, isActivity: true },
  filtered_spikes: { label: "Filtered spikes", scale: "activity", colour: "#b3261e", width: 1, isActivity: true },
};

CellViewer.Plots = class {
  // ask(cells, quantities, first, end, points) returns a promise of their traces.
  constructor(element, { ask, onWindow, onError }) {
    this.element = element;
    this.ask = ask;
    this.onWindow = onWindow;
    this.onError = onError;
    this.plots = [];
    this.cells = [];
    this.quantities = [];
    this.parameterSets = {};
    this.requestNumber = 0;
    element.addEventListener("keydown", (event) => this._onKey(event));
    new ResizeObserver(() => this._resize()).observe(element);
  }

  // Another recording: its frames, and the clock of a cell's plane.
  open(numFrames, clockOf) {
    this.numFrames = numFrames;
    this.clockOf = clockOf;
    this.first = 0;
    this.end = numFrames;
  }

  async show(cells, quantities) {
    const isSame = cells.join() === this.cells.join() && quantities.join() === this.quantities.join();
    this.cells = cells;
    this.quantities = quantities;
    if (!isSame) this._clear();
    await this._load();
  }

  showAll() { this.look(0, this.numFrames); }

  look(first, end) {
    const length = Math.min(Math.max(Math.round(end - first), 20), this.numFrames);
    this.first = Math.min(Math.max(Math.round(first), 0), this.numFrames - length);
    this.end = this.first + length;
    this.plots.forEach((plot, row) => this._setTime(plot, this.clockOf(this.cells[row])));
    this.onWindow(this.first, this.end);
    clearTimeout(this.waiting);
    // While a person drags or turns the wheel, only the last of many windows is requested.
    this.waiting = setTimeout(() => this._load(), 40);
  }

  zoom(factor, center = (this.first + this.end) / 2) {
    this.look(center - (center - this.first) * factor, center + (this.end - center) * factor);
  }

  pan(part) {
    const step = (this.end - this.first) * part;
    this.look(this.first + step, this.end + step);
  }

  _clear() {
    for (const plot of this.plots) plot.destroy();
    this.plots = [];
  }

  async _load() {
    // Answers may overtake each other: only that to the newest request is drawn.
    const number = ++this.requestNumber;
    if (!this.cells.length || !this.quantities.length) return this._clear();
    this.element.setAttribute("aria-busy", "true");
    try {
      // The lowest and the highest sample for each pixel.
      const points = 2 * Math.max(Math.floor(this._width()), 100);
      const traces = await this.ask(this.cells, this.quantities, this.first, this.end, points);
      if (number === this.requestNumber) this._draw(traces);
    } catch (error) {
      if (number === this.requestNumber) this.onError(error);
    }
    if (number === this.requestNumber) this.element.removeAttribute("aria-busy");
  }

  _draw(traces) {
    this.cells.forEach((cell, row) => {
      const clock = this.clockOf(cell);
      const data = clock.line(traces.samples, this.quantities.map((quantity) => traces.values[quantity][row]));
      if (!this.plots[row]) this.plots[row] = this._plot(cell, data);
      else this.plots[row].setData(data, false);
      this._setTime(this.plots[row], clock);
    });
  }

  _setTime(plot, clock) {
    plot.batch(() => {
      plot.setScale("x", { min: clock.at(this.first), max: clock.at(this.end - 1) });
    });
  }

  // The name of a quantity with the set of parameters that it was computed with.
  _title(name) {
    const label = CellViewer.QUANTITIES[name].label;
    return this.parameterSets[name] ? `${label} (${this.parameterSets[name]})` : label;
  }

  // What is shown, for a picture of it.
  legend() {
    return this.quantities.map((name) => ({ title: this._title(name), colour: CellViewer.QUANTITIES[name].colour }));
  }

  _plot(cell, data) {
    const shown = this.quantities.map((name) => ({ ...CellViewer.QUANTITIES[name], title: this._title(name) }));
    const has = (scale) => shown.some((quantity) => quantity.scale === scale);
    const clock = this.clockOf(cell);
    const axes = [{ label: clock.label, labelSize: 18, size: 34 }];
    if (has("change")) axes.push({ scale: "change", label: "dF/F", labelSize: 18, size: 48 });
    if (has("fluorescence")) {
      axes.push({ scale: "fluorescence", label: "Fluorescence", labelSize: 18, size: 56, side: has("change") ? 1 : 3, grid: { show: !has("change") } });
    }
    const plot = new uPlot({
      title: `Cell ${cell}`,
      width: this._width(),
      height: this.cells.length > 3 ? 150 : 210,
      legend: { live: true },
      cursor: { sync: { key: "traces" }, drag: { x: true, y: false, uni: 10 }, bind: this._bind() },
      scales: {
        x: { time: false },
        // Spikes take the lowest third, so that they do not cover the traces.
        activity: { range: (self, low, high) => [0, (high || 1) * 3] },
      },
      axes,
      series: [
        { label: clock.unit, value: (self, value) => (value === null ? "–" : value.toFixed(2)) },
        ...shown.map((quantity) => ({
          label: quantity.title,
          scale: quantity.scale,
          stroke: quantity.colour,
          width: quantity.width,
          fill: quantity.isActivity ? `${quantity.colour}55` : undefined,
          points: { show: false },
          value: (self, value) => (value === null ? "–" : value.toPrecision(4)),
        })),
      ],
      hooks: {
        setSelect: [(self) => this._onSelect(self, clock)],
      },
    }, data, this.element);
    plot.over.addEventListener("wheel", (event) => this._onWheel(event, plot, clock), { passive: false });
    this._dragToPan(plot);
    return plot;
  }

  // Double click shows all, which uPlot would take for all that it has.
  _bind() {
    return {
      dblclick: () => () => { this.showAll(); return null; },
      // With shift the mouse pans: then uPlot begins no selection.
      mousedown: (self, target, handler) => (event) => { if (!event.shiftKey) handler(event); return null; },
    };
  }

  _onSelect(plot, clock) {
    const { left, width } = plot.select;
    if (width < 5) return;
    const frame = (position) => clock.sampleAt(plot.posToVal(position, "x"));
    const [first, end] = [frame(left), frame(left + width)];
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.look(first, end);
  }

  _onWheel(event, plot, clock) {
    event.preventDefault();
    const box = plot.over.getBoundingClientRect();
    const center = clock.sampleAt(plot.posToVal(event.clientX - box.left, "x"));
    if (event.shiftKey) this.pan(Math.sign(event.deltaY || event.deltaX) * 0.1);
    else this.zoom(event.deltaY > 0 ? 1.25 : 0.8, center);
  }

  _dragToPan(plot) {
    plot.over.addEventListener("pointerdown", (event) => {
      if (!event.shiftKey) return;
      const begun = { x: event.clientX, first: this.first, end: this.end };
      const perPixel = (this.end - this.first) / plot.over.clientWidth;
      const move = (moved) => {
        const frames = (begun.x - moved.clientX) * perPixel;
        this.look(begun.first + frames, begun.end + frames);
      };
      plot.over.setPointerCapture(event.pointerId);
      plot.over.addEventListener("pointermove", move);
      plot.over.addEventListener("pointerup", () => plot.over.removeEventListener("pointermove", move), { once: true });
    });
  }

  _onKey(event) {
    const steps = { ArrowLeft: () => this.pan(-0.1), ArrowRight: () => this.pan(0.1), "+": () => this.zoom(0.7), "-": () => this.zoom(1.4), 0: () => this.showAll() };
    const step = steps[event.key];
    if (!step || !this.cells.length || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    step();
  }

  _width() { return Math.max(this.element.clientWidth - 18, 200); }

  _resize() {
    for (const plot of this.plots) if (plot.width !== this._width()) plot.setSize({ width: this._width(), height: plot.height });
  }
};
