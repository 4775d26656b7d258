"use strict";

// One session's cells: which are selected, and their colours.
(() => {
  const root = document.getElementById("viewer");
  if (!root) return;
  const part = (name) => document.getElementById(`viewer-${name}`);
  // As many as the server sends traces of: `MOST_CELLS` of web/queries/cells.py.
  const MOST_CELLS = 24;
  const TITLES = {
    mean_image: "Mean", mean_image_enhanced: "Mean, enhanced", max_img: "Maximum", vcorr_image: "Correlation",
    mean_image_ref: "Reference", mean_image_second: "Mean, second channel",
    each: "One each", cell_prob: "Cell probability", snr_df_f: "SNR", skew: "Skew", npix: "Pixels", radius: "Radius",
    compact: "Compactness", footprint: "Footprint", redcell_prob: "Probability of second channel",
  };
  const FIRST_SHOWN = ["df_f", "filtered_spikes"];

  const analyses = JSON.parse(root.dataset.analyses);
  const state = { analysis: null, data: null, regions: null, plane: null, selected: [], colours: [], isDrawing: false };
  const picture = new CellViewer.Picture(part("canvas"));
  const plots = new CellViewer.Plots(part("plots"), { ask, onWindow: setFile, onError: showError });

  async function answered(address) {
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    // The response to somebody who is signed out is a redirect to the sign-in page.
    if (response.redirected) throw new Error("You are signed out. Load the page again.");
    if (!response.ok) throw new Error(`It could not be loaded (${response.status}). Load the page again.`);
    return response;
  }

  function showError(error) { part("about").textContent = error.message; }

  async function ask(cells, quantities, first, end, points) {
    const query = new URLSearchParams({ cells, quantities, first, end, points });
    return (await answered(`${state.analysis.address}traces?${query}`)).json();
  }

  // A plane is an analysis of its own, or a part of one in which all planes are combined.
  function views() {
    return analyses.flatMap((analysis) => {
      if (analysis.plane !== null) return [{ analysis, plane: null, title: `${analysis.plane}` }];
      const planes = state.analysis === analysis ? [...new Set(state.regions.planes)].sort((a, b) => a - b) : [];
      const perPlane = planes.length > 1 ? planes.map((plane) => ({ analysis, plane, title: `${plane}` })) : [];
      return [{ analysis, plane: null, title: planes.length > 1 || analyses.length > 1 ? "all" : "0" }, ...perPlane];
    });
  }

  async function open(analysis, plane = null) {
    try {
      const data = await (await answered(`${analysis.address}regions`)).json();
      Object.assign(state, { analysis, data, plane, regions: new CellViewer.Regions(data), selected: [] });
      plots.open(data.num_frames, clocks(data));
      plots.parameterSets = data.parameter_sets;
      picture.setSize(data.projection?.height ?? 512, data.projection?.width ?? 512);
      fill();
      select([]);
      await showImage();
    } catch (error) {
      showError(error);
    }
  }

  // Planes of a volume are taken one after the other, so that each has a clock of its own.
  function clocks(data) {
    const ofPlanes = new Map(Object.entries(data.stretches ?? {}).map(([plane, each]) => [plane, new CellViewer.Clock(each)]));
    const planes = new Map(data.cell_ids.map((cell, number) => [cell, `${data.planes[number]}`]));
    return (cell) => ofPlanes.get(planes.get(cell)) ?? new CellViewer.Clock(null);
  }

  function options(select, values, chosen) {
    select.replaceChildren(...values.map(([value, title]) => new Option(title, value, false, value === chosen)));
  }

  function fill() {
    const all = views();
    const number = all.findIndex((view) => view.analysis === state.analysis && view.plane === state.plane);
    options(part("plane"), all.map((view, i) => [`${i}`, view.title]), `${number}`);
    const images = state.data.projection?.images ?? [];
    const image = images.includes(part("image").value) ? part("image").value : images[0];
    options(part("image"), images.map((name) => [name, TITLES[name]]), image);
    const measures = ["each", ...Object.keys(state.data.measures)];
    const colour = measures.includes(part("colour").value) ? part("colour").value : "each";
    options(part("colour"), measures.map((name) => [name, TITLES[name]]), colour);
    fillQuantities();
    setColours();
  }

  function fillQuantities() {
    const before = new Map(boxes().map((box) => [box.value, box.checked]));
    const legend = part("quantities").firstElementChild;
    part("quantities").replaceChildren(legend, ...state.data.quantities.map((name) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", value: name, checked: before.get(name) ?? FIRST_SHOWN.includes(name) });
      label.append(box, ` ${CellViewer.QUANTITIES[name].label}`);
      // Which of several sets of parameters it was computed with.
      label.title = state.data.parameter_sets[name] ?? "";
      return label;
    }));
  }

  function boxes() { return [...part("quantities").querySelectorAll("input")]; }
  function quantities() { return boxes().filter((box) => box.checked).map((box) => box.value); }

  function setColours() {
    const name = part("colour").value;
    const values = state.data.measures[name];
    state.colours = values ? CellViewer.colours.by(values) : CellViewer.colours.each(state.regions.ids);
    part("scale").replaceChildren(...(values ? scaleBar(values) : []));
    draw();
  }

  function scaleBar(values) {
    const bar = document.createElement("canvas");
    Object.assign(bar, { width: 100, height: 10 });
    const context = bar.getContext("2d");
    for (let x = 0; x < bar.width; x++) {
      context.fillStyle = CellViewer.colours.onScale(x / (bar.width - 1));
      context.fillRect(x, 0, 1, bar.height);
    }
    const [low, high] = CellViewer.colours.range(values).map((value) => `${Number(value.toPrecision(3))}`);
    return [low, bar, high];
  }

  async function showImage() {
    const name = part("image").value;
    if (name) {
      const buffer = await (await answered(`${state.analysis.address}image/${name}`)).arrayBuffer();
      picture.setPixels(new Float32Array(buffer));
      setContrast();
    }
    draw();
  }

  function setContrast() {
    picture.setContrast(part("low").value / 1000, part("high").value / 1000);
    draw();
  }

  function draw() {
    if (state.isDrawing || !state.regions) return;
    state.isDrawing = true;
    requestAnimationFrame(() => {
      state.isDrawing = false;
      const context = picture.begin();
      if (!part("rois").checked && !part("numbers").checked) return;
      state.regions.draw(context, {
        colours: state.colours, plane: state.plane, selected: state.selected, scale: picture.scale,
        outlines: part("rois").checked, numbers: part("numbers").checked,
      });
    });
  }

  function select(cells) {
    state.selected = cells.slice(-MOST_CELLS);
    part("cells").value = state.selected.join(", ");
    part("about").textContent = about();
    draw();
    showTraces();
  }

  function about() {
    if (!state.selected.length) {
      const number = state.regions.ids.length;
      return `${number} ${number === 1 ? "cell" : "cells"}. Click one, with shift for several; or type their numbers.`;
    }
    if (state.selected.length > 1) return `${state.selected.length} cells.`;
    const number = state.regions.ids.indexOf(state.selected[0]);
    const facts = Object.entries(state.data.measures)
      .filter(([, values]) => values[number] !== null)
      .map(([name, values]) => `${TITLES[name].toLowerCase().replace("snr", "SNR")} ${Number(values[number].toPrecision(3))}`);
    return `Cell ${state.selected[0]}: plane ${state.regions.planes[number]}, ${facts.join(", ")}.`;
  }

  function showTraces() {
    setFile(plots.first, plots.end);
    plots.show(state.selected, quantities());
  }

  // What is shown, all samples of it.
  function setFile(first, end) {
    const query = new URLSearchParams({ cells: state.selected, quantities: quantities(), first, end });
    const isEmpty = !state.selected.length || !quantities().length;
    part("csv").toggleAttribute("aria-disabled", isEmpty);
    part("csv").href = isEmpty ? "#viewer-cells" : `${state.analysis.address}traces.csv?${query}`;
  }

  function selectTyped() {
    const typed = [...new Set((part("cells").value.match(/\d+/g) ?? []).map(Number))];
    const known = new Set(state.regions.ids);
    const unknown = typed.filter((id) => !known.has(id));
    select(typed.filter((id) => known.has(id)));
    if (unknown.length) part("about").textContent = `There is no cell ${unknown.join(", ")} here.`;
  }

  function step(by) {
    const select = part("plane");
    const number = Math.min(Math.max(select.selectedIndex + by, 0), select.options.length - 1);
    if (number === select.selectedIndex) return;
    select.selectedIndex = number;
    changePlane();
  }

  function changePlane() {
    const view = views()[part("plane").selectedIndex];
    if (view.analysis !== state.analysis) return open(view.analysis, view.plane);
    state.plane = view.plane;
    return draw();
  }

  function toggle(box) {
    box.checked = !box.checked;
    draw();
  }

  // Hides those that are shown, and shows them again; the first time those that are shown by custom.
  function toggleQuantities(isActivity) {
    const concerned = boxes().filter((box) => Boolean(CellViewer.QUANTITIES[box.value].isActivity) === isActivity);
    const shown = concerned.filter((box) => box.checked);
    if (shown.length) state[`hidden${isActivity}`] = shown.map((box) => box.value);
    const again = state[`hidden${isActivity}`] ?? FIRST_SHOWN;
    for (const box of concerned) box.checked = !shown.length && again.includes(box.value);
    showTraces();
  }

  const KEYS = {
    r: () => toggle(part("rois")), n: () => toggle(part("numbers")),
    s: () => toggleQuantities(true), d: () => toggleQuantities(false),
    q: () => step(-1), a: () => step(1),
  };

  function onKey(event) {
    const isTyping = event.target.matches("input:not([type='checkbox']):not([type='range']), select, textarea");
    const action = KEYS[event.key.toLowerCase()];
    if (!action || isTyping || event.ctrlKey || event.metaKey || event.altKey || !state.regions) return;
    event.preventDefault();
    action();
  }

  function listenToPicture(canvas) {
    let pressed = null;
    canvas.addEventListener("pointerdown", (event) => { pressed = { event, last: event, hasMoved: false }; });
    canvas.addEventListener("pointermove", (event) => {
      if (!pressed) return;
      // A hand that clicks may tremble: up to 4 px are no drag.
      pressed.hasMoved ||= Math.hypot(event.clientX - pressed.event.clientX, event.clientY - pressed.event.clientY) > 4;
      if (!pressed.hasMoved) return;
      const before = picture.at(pressed.last), now = picture.at(event);
      picture.moveBy(before.x - now.x, before.y - now.y);
      pressed.last = event;
      draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      if (pressed && !pressed.hasMoved && state.regions) click(event);
      pressed = null;
    });
    canvas.addEventListener("pointerleave", () => { pressed = null; });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      picture.zoomAt(event, event.deltaY > 0 ? 0.8 : 1.25);
      draw();
    }, { passive: false });
    canvas.addEventListener("dblclick", () => { picture.showAll(); draw(); });
  }

  function click(event) {
    const position = picture.at(event);
    const cell = state.regions.hit(position.x, position.y, state.plane, state.selected);
    if (cell === null) return event.shiftKey ? undefined : select([]);
    if (!event.shiftKey) return select([cell]);
    const isSelected = state.selected.includes(cell);
    return select(isSelected ? state.selected.filter((other) => other !== cell) : [...state.selected, cell]);
  }

  document.addEventListener("keydown", onKey);
  listenToPicture(part("canvas"));
  part("plane").addEventListener("change", changePlane);
  part("image").addEventListener("change", () => showImage().catch(showError));
  part("colour").addEventListener("change", setColours);
  part("low").addEventListener("input", setContrast);
  part("high").addEventListener("input", setContrast);
  part("rois").addEventListener("change", draw);
  part("numbers").addEventListener("change", draw);
  part("quantities").addEventListener("change", showTraces);
  part("cells").addEventListener("change", selectTyped);
  part("all").addEventListener("click", () => { if (state.selected.length) plots.showAll(); });
  part("picture-png").addEventListener("click", () => CellViewer.save.picture(part("canvas"), "cells.png"));
  part("traces-png").addEventListener("click", () => { if (plots.plots.length) CellViewer.save.plots(plots.plots, plots.legend(), "traces.png"); });
  if (analyses.length) open(analyses[0]);
})();
