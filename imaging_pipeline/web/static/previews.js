"use strict";

// Draws the images whose address a canvas names, with the darkest and brightest half percent cut.
for (const canvas of document.querySelectorAll("canvas[data-image]")) {
  fetch(canvas.dataset.image).then((response) => (response.ok ? response.arrayBuffer() : Promise.reject(response)))
    .then((buffer) => {
      const picture = new CellViewer.Picture(canvas);
      picture.setSize(canvas.height, canvas.width);
      picture.setPixels(new Float32Array(buffer));
      picture.setContrast(0.005, 0.995);
      picture.begin();
    })
    .catch(() => canvas.setAttribute("aria-label", "The image could not be loaded"));
}
