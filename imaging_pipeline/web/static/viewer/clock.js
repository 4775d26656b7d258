"use strict";

// When the samples of a plane were taken: stretches without a gap, of each its first and last sample and their
// seconds. Without stretches the times are not known, and a sample is drawn at its number.
CellViewer.Clock = class {
  constructor(stretches) {
    this.stretches = stretches;
  }

  get label() { return this.stretches ? "Time (s)" : "Frame"; }
  get unit() { return this.stretches ? "s" : "frame"; }

  // The last stretch that begins at a value or before, by the column "first" or "first_s".
  _stretch(column, value) {
    const begins = this.stretches[column];
    let [low, high] = [0, begins.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (begins[middle] <= value) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  at(sample) {
    if (!this.stretches) return sample;
    const number = this._stretch("first", sample);
    const { first, last, first_s: begin, last_s: end } = this.stretches;
    if (first[number] === last[number]) return begin[number];
    return begin[number] + (sample - first[number]) * (end[number] - begin[number]) / (last[number] - first[number]);
  }

  // The sample at a time, with a fraction; in a gap between the samples on both its sides.
  sampleAt(time) {
    if (!this.stretches) return time;
    const number = this._stretch("first_s", time);
    const { first, last, first_s: begin, last_s: end } = this.stretches;
    const part = (low, high) => (high > low ? Math.min(Math.max((time - low) / (high - low), 0), 1) : 0);
    if (time <= end[number] || number === begin.length - 1) {
      return first[number] + part(begin[number], end[number]) * (last[number] - first[number]);
    }
    return last[number] + part(end[number], begin[number + 1]);
  }

  // Times and values to draw a line through, which has no value in a gap.
  line(samples, values) {
    const times = [];
    const drawn = values.map(() => []);
    let before = null;
    samples.forEach((sample, i) => {
      const stretch = this.stretches ? this._stretch("first", sample) : 0;
      const time = this.at(sample);
      if (before !== null && stretch !== before) {
        times.push((times[times.length - 1] + time) / 2);
        drawn.forEach((line) => line.push(null));
      }
      times.push(time);
      drawn.forEach((line, quantity) => line.push(values[quantity][i]));
      before = stretch;
    });
    return [times, ...drawn];
  }
};
