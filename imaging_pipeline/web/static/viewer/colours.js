"use strict";

// Colours of cells: a colour for each, or a colour by a measure.
window.CellViewer = {
  colours: (() => {
    // Dark to light, distinguishable for colour-blind people; anchors of viridis.
    const ANCHORS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
    const WITHOUT = "#9aa4a8";

    function onScale(fraction) {
      const position = Math.min(Math.max(fraction, 0), 1) * (ANCHORS.length - 1);
      const below = Math.min(Math.floor(position), ANCHORS.length - 2);
      const mixed = ANCHORS[below].map((low, i) => Math.round(low + (ANCHORS[below + 1][i] - low) * (position - below)));
      return `rgb(${mixed.join(" ")})`;
    }

    // By the golden angle, 137.5 degrees: neighbouring numbers get hues far apart.
    function each(cellIds) {
      return cellIds.map((id) => `hsl(${(id * 137.508) % 360} 85% 60%)`);
    }

    // Between the 2nd and 98th percentile: one odd cell would leave the others without differences.
    function range(values) {
      const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
      const at = (part) => sorted[Math.round(part * (sorted.length - 1))];
      return [at(0.02), at(0.98)];
    }

    function by(values) {
      const [low, high] = range(values);
      return values.map((value) => (value === null ? WITHOUT : onScale((value - low) / (high - low || 1))));
    }

    return { onScale, each, range, by };
  })(),
};
