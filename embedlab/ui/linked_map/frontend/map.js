// The linked map: what is kept of it, what comes from Python, and what goes back.

import { fetchBytes } from "../../frontend/media.js";
import {
  drawLegend, makeHelp, makeToolbar, showTools,
} from "./controls.js";
import { drawOver, drawPoints, layOut, measure, sortRows } from "./draw.js";
import { bitsToMask, maskToBits, mixedOrder } from "./geometry.js";
import { captionsOf, hideCard, makeCard, showCard } from "./hover.js";
import { focusOn, home, makePanel } from "./panel.js";
import { offerSheets, openStore } from "./pictures.js";
import { mixed } from "./splat.js";
import { unpack } from "./pack.js";

const maps = new WeakMap(); // parentElement -> map; the export runs again on every change
const views = new Map(); // zoom by memory and panel, while the app is open in this tab
const pieces = new Map(); // url -> unpacked piece; addresses are made from the content
const MOST_PIECES = 40;
const NONE = 65535;
const GREY = "#8a8f8d";

function piece(url) {
  let found = pieces.get(url);
  if (!found) {
    found = fetchBytes(url).then(unpack);
    found.catch(() => pieces.delete(url));
  }
  pieces.delete(url);
  pieces.set(url, found);
  while (pieces.size > MOST_PIECES) pieces.delete(pieces.keys().next().value);
  return found;
}

export default function linkedMap(component) {
  const { parentElement } = component;
  let map = maps.get(parentElement);
  if (!map) {
    map = makeMap(parentElement);
    maps.set(parentElement, map);
  }
  map.send = (value) => component.setStateValue("map", value);
  update(map, component.data);
  return () => {
    map.close();
    maps.delete(parentElement);
  };
}

// ---- making --------------------------------------------------------------------------------------

function makeMap(parent) {
  const root = document.createElement("section");
  root.className = "map";
  const head = document.createElement("div");
  head.className = "bar-top";
  const legend = document.createElement("div");
  legend.className = "legend";
  legend.setAttribute("role", "group");
  const grid = document.createElement("div");
  grid.className = "panels";
  const foot = document.createElement("div");
  foot.className = "foot";
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  const clear = document.createElement("button");
  clear.type = "button";
  clear.className = "clear";
  clear.textContent = "Clear selection";
  foot.append(status, clear);
  const help = makeHelp();
  const state = {
    ready: false, tool: "pan", pictures: false, n: 0, nSelected: 0, clicked: null, hover: null,
    cursor: null, hidden: {}, lines: [], revision: null, sent: new Set(), redraw: () => map.draw(),
  };
  const map = {
    root, legend, grid, status, clearButton: clear, help, state, panels: [], updates: 0,
  };
  attach(map);
  const toolbar = makeToolbar({
    setTool: (name) => {
      state.tool = name;
      map.showTools();
    },
    focus: () => {
      const rows = rowsOf(state.selected);
      for (const panel of map.panels) focusOn(panel, map, rows);
    },
    reset: () => map.panels.forEach((panel) => home(panel, map)),
    togglePictures: () => {
      state.pictures = !state.pictures;
      map.showTools();
      map.draw();
    },
    toggleHelp: () => {
      help.hidden = !help.hidden;
      map.showTools();
    },
  });
  map.toolbar = toolbar;
  clear.addEventListener("click", () => map.clear());
  head.append(legend, toolbar.element);
  root.append(head, help, grid, foot);
  map.card = makeCard(root);
  map.observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target === grid) arrange(map);
      const panel = map.panels.find(({ plot }) => plot === target);
      if (panel) map.resize(panel);
    }
  });
  // A page that is being scrolled goes on scrolling when a panel comes under the pointer.
  let scrolled = -Infinity;
  const noteScroll = (event) => {
    if (!event.composedPath().some((node) => node.classList?.contains("over"))) {
      scrolled = performance.now();
    } else if (performance.now() - scrolled < 250) {
      scrolled = performance.now();
    }
  };
  window.addEventListener("wheel", noteScroll, { capture: true, passive: true });
  map.pageScrolls = () => performance.now() - scrolled < 250;
  map.close = () => {
    window.removeEventListener("wheel", noteScroll, { capture: true });
    map.observer.disconnect();
    root.remove();
  };
  parent.append(root);
  map.observer.observe(grid);
  return map;
}

const LEAST_WIDTH = 290;

// As many columns as fit, but rows of about equal length: four panels stand two by two, not 3 + 1.
function arrange({ grid, panels }) {
  const fitting = Math.max(1, Math.floor((grid.clientWidth + 14) / (LEAST_WIDTH + 14)));
  const lines = Math.ceil(panels.length / fitting);
  grid.style.setProperty("--columns", Math.ceil(panels.length / lines) || 1);
}

function rowsOf(mask) {
  const rows = [];
  for (let row = 0; row < mask.length; row += 1) if (mask[row]) rows.push(row);
  return rows;
}

// ---- acts ------------------------------------------------------------------------------------------

function attach(map) {
  const { state } = map;
  const pending = new Set();
  let frame = 0;

  const flush = () => {
    frame = 0;
    if (!state.ready) return;
    const begun = performance.now();
    for (const panel of pending) if (panel.outer.width > 0) drawPoints(panel, state);
    const some = pending.size > 0;
    pending.clear();
    for (const panel of map.panels) if (panel.outer.width > 0) drawOver(panel, state);
    if (some) map.root.dataset.drawMs = (performance.now() - begun).toFixed(1);
  };
  const soon = () => {
    frame ||= requestAnimationFrame(flush);
  };
  map.draw = (panel) => {
    for (const one of panel ? [panel] : map.panels) pending.add(one);
    soon();
  };
  map.drawOver = soon;

  map.resize = (panel) => {
    const { clientWidth: width, clientHeight: height } = panel.plot;
    if (!width || !height || !state.ready) return; // a hidden tab
    panel.outer = { width, height };
    layOut(panel, width, height);
    map.draw(panel);
  };

  map.hover = (panel, row = -1, x = 0, y = 0) => {
    const next = panel && row >= 0 ? row : null;
    if (next === null) hideCard(map.card);
    else {
      const [outer, inner] = [map.root, panel.over].map((node) => node.getBoundingClientRect());
      const [px, py] = [panel.sx[row], panel.sy[row]];
      showCard(
        map.card, state, row, inner.left - outer.left + panel.left + px,
        inner.top - outer.top + panel.top + py, outer.width, outer.height,
      );
    }
    if (panel) panel.over.classList.toggle("pointing", next !== null);
    if (next !== state.hover) {
      state.hover = next;
      soon();
    }
  };

  map.setCursor = (row, panel) => {
    if (row === state.cursor) return;
    state.cursor = row;
    map.hover(row === null ? null : panel, row ?? -1);
    map.showStatus();
    soon();
  };

  map.choose = (row, add) => {
    if (!add) {
      map.select([row], { clicked: row });
    } else if (state.selected[row]) {
      map.select(rowsOf(state.selected).filter((other) => other !== row), {});
    } else {
      map.select([row], { add: true, clicked: row });
    }
  };

  map.select = (rows, { add = false, clicked = null }) => {
    if (!add) state.selected = new Uint8Array(state.n);
    for (const row of rows) state.selected[row] = 1;
    state.clicked = clicked;
    count(state);
    map.tell();
    afterwards(map);
  };

  map.clear = () => {
    if (!state.nSelected && state.clicked === null) return;
    map.select([], {});
  };

  // Python first, the drawing after: the page is already at work while the points are redrawn.
  map.tell = () => {
    state.revision = Math.random().toString(36).slice(2, 14);
    state.sent.add(state.revision);
    const kept = {};
    for (const panel of map.panels) {
      if (panel.view) kept[panel.name] = { of: panel.url, ...panel.view };
    }
    map.send({
      token: state.token,
      revision: state.revision,
      bits: state.nSelected ? maskToBits(state.selected) : "",
      clicked: state.clicked,
      hidden: state.hidden,
      views: kept,
    });
  };

  map.keepView = (panel) => {
    views.set(`${state.memory} ${panel.name}`, panel.view && { of: panel.url, ...panel.view });
  };

  map.showTools = () => {
    showTools(map.toolbar, {
      tool: state.tool,
      pictures: state.pictures,
      hasPictures: Boolean(state.store),
      anySelected: state.nSelected > 0,
      help: !map.help.hidden,
    });
    for (const { over, dims } of map.panels) {
      over.dataset.tool = state.tool;
      over.dataset.dims = dims;
    }
  };

  map.showStatus = () => {
    const parts = [
      state.nSelected
        ? `${state.nSelected.toLocaleString("en")} of ${state.n.toLocaleString("en")} selected`
        : `${state.n.toLocaleString("en")} points`,
    ];
    if (state.cursor !== null) {
      const facts = captionsOf(state, state.cursor).map(([label, text]) => `${label}: ${text}`);
      parts.push([state.captions.ids[state.cursor], ...facts].join(", "));
    }
    map.status.textContent = parts.join(" · ");
    map.clearButton.hidden = !state.nSelected;
  };

  map.toggleGroup = (code) => {
    state.off[code] ^= 1;
    groupsChanged(map);
  };
  map.onlyGroup = (code) => {
    const alone = state.off.every((off, other) => (other === code) !== Boolean(off));
    state.off.fill(alone ? 0 : 1);
    state.off[code] = 0;
    groupsChanged(map);
  };
}

function count(state) {
  state.nSelected = state.selected.reduce((sum, one) => sum + one, 0);
}

function afterwards(map) {
  setTimeout(() => {
    for (const panel of map.panels) if (panel.box) sortRows(panel, map.state);
    map.showTools();
    map.showStatus();
    map.draw();
  }, 0);
}

function groupsChanged(map) {
  const { state } = map;
  const { colour, off } = state;
  const names = [...colour.names, "none"];
  state.hidden = { ...state.hidden, [colour.label]: names.filter((_, code) => off[code]) };
  map.tell();
  drawLegend(map.legend, state, { toggle: map.toggleGroup, only: map.onlyGroup });
  afterwards(map);
}

// ---- what comes from Python ----------------------------------------------------------------------

async function update(map, data) {
  const mine = (map.updates += 1);
  map.root.style.setProperty("--height", `${data.height}px`);
  map.root.setAttribute("aria-label", data.label);
  let loaded;
  try {
    loaded = await Promise.all([
      piece(data.captions),
      data.colour && piece(data.colour.url),
      data.visible && piece(data.visible),
      ...data.panels.map(({ url }) => piece(url)),
    ]);
  } catch (error) {
    if (mine === map.updates) map.status.textContent = "The points could not be loaded; reload the page.";
    return;
  }
  if (mine !== map.updates) return; // newer data came meanwhile
  const [captions, colours, visible, ...coordinates] = loaded;
  const { state } = map;
  takePoints(map, data, captions, visible);
  takeColours(state, data.colour, colours);
  takeState(map, data);
  takePanels(map, data, coordinates);
  state.lines = data.lines;
  readTheme(map);
  state.ready = true;
  drawLegend(map.legend, state, { toggle: map.toggleGroup, only: map.onlyGroup });
  for (const panel of map.panels) {
    if (panel.box) sortRows(panel, state);
    map.resize(panel);
  }
  map.showTools();
  map.showStatus();
  map.draw();
}

function takePoints(map, data, captions, visible) {
  const { state } = map;
  if (data.token !== state.token) {
    state.order = mixedOrder(data.n);
    state.selected = new Uint8Array(data.n);
    state.clicked = null;
    state.cursor = null;
    state.revision = null;
    map.hover(null);
  }
  state.token = data.token;
  state.memory = data.memory;
  state.n = data.n;
  state.visible = visible ? visible.arrays.visible : null;
  if (state.piece !== captions) {
    state.piece = captions;
    state.captions = {
      ids: captions.ids,
      labels: captions.labels,
      words: captions.words,
      codes: captions.labels.map((_, k) => captions.arrays[k]),
    };
  }
  state.store = data.sheets && openStore(data.token, data.sheets.per);
  if (data.sheets) offerSheets(state.store, data.sheets.urls);
}

function takeColours(state, colour, piece) {
  state.colour = colour;
  const css = colour?.names ? [...colour.colours] : colour ? shades(colour.stops, 256) : [];
  const symbols = css.map((_, k) => colour.symbols?.[k] ?? "circle");
  const none = css.length; // the code of points without a group or value
  state.css = [...css, colour ? GREY : "var(--st-primary-color)"];
  state.symbols = [...symbols, "circle"];
  state.codes = new Uint16Array(state.n).fill(none);
  if (piece) state.codes = piece.arrays.codes.map((code) => (code === NONE ? none : code));
  state.counts = new Uint32Array(none + 1);
  for (let row = 0; row < state.n; row += 1) {
    if (!state.visible || state.visible[row]) state.counts[state.codes[row]] += 1;
  }
  state.off = new Uint8Array(none + 1);
}

// `count` colours along a row of stops.
function shades(stops, count) {
  const rgb = stops.map((stop) => parseColour(stop));
  return Array.from({ length: count }, (_, k) => {
    const at = (k / (count - 1)) * (rgb.length - 1);
    const from = Math.min(rgb.length - 2, Math.floor(at));
    return `rgb(${mixed(rgb[from], rgb[from + 1], at - from).join(" ")})`;
  });
}

function takeState(map, data) {
  const { state } = map;
  const { revision, bits, clicked, hidden = {}, views: kept = {} } = data.state;
  // What this map sent itself comes back late; only what is new is taken over.
  if (revision !== state.revision && !state.sent.has(revision)) {
    state.revision = revision;
    state.selected = bitsToMask(bits, state.n);
    state.clicked = clicked;
    state.hidden = hidden;
    count(state);
  }
  const off = state.hidden[state.colour?.label] ?? [];
  if (state.colour?.names) {
    [...state.colour.names, "none"].forEach((name, code) => {
      state.off[code] = off.includes(name) ? 1 : 0;
    });
  }
  for (const [name, view] of Object.entries(kept)) {
    const slot = `${state.memory} ${name}`;
    if (!views.has(slot)) views.set(slot, view);
  }
}

function takePanels(map, data, coordinates) {
  const old = new Map(map.panels.map((panel) => [panel.name, panel]));
  map.panels = data.panels.map((about, k) => {
    const panel = old.get(about.name) ?? makePanel(about, map);
    const { arrows } = about;
    panel.arrows = arrows && { ...arrows, vectors: arrows.vectors };
    panel.axes = about.axes;
    panel.ticks = about.ticks;
    panel.title.textContent = about.title;
    panel.note.textContent = [about.note, arrows?.origin].filter(Boolean).join(" · ");
    panel.note.title = panel.note.textContent;
    panel.over.setAttribute("aria-label", `${about.title}: ${data.n} points. Arrow keys go from point to point.`);
    if (panel.url !== about.url) {
      panel.url = about.url;
      panel.dims = about.dims;
      panel.coordinates = coordinates[k].arrays.coordinates;
      panel.camera = null;
      panel.levels = null;
      const kept = views.get(`${map.state.memory} ${about.name}`);
      const { of, ...view } = kept ?? {};
      panel.view = kept && of === about.url ? view : null;
    }
    measure(panel);
    return panel;
  });
  for (const [name, panel] of old) {
    if (!data.panels.some((about) => about.name === name)) {
      map.observer.unobserve(panel.plot);
      panel.element.remove();
    }
  }
  map.panels.forEach((panel, k) => {
    if (map.grid.children[k] !== panel.element) {
      map.grid.insertBefore(panel.element, map.grid.children[k] ?? null);
    }
    map.observer.observe(panel.plot);
  });
  arrange(map);
}

// ---- light and dark --------------------------------------------------------------------------------

const scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function parseColour(css, background = "#fff") {
  scratch.fillStyle = background;
  scratch.fillRect(0, 0, 1, 1);
  scratch.fillStyle = css;
  scratch.fillRect(0, 0, 1, 1);
  return [...scratch.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function readTheme(map) {
  const style = getComputedStyle(map.root);
  const read = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const paper = read("--st-background-color", "#fff");
  const background = parseColour(paper);
  const text = parseColour(read("--st-text-color", "#222"), paper);
  const css = (rgb, alpha = 1) => `rgb(${rgb.join(" ")} / ${alpha})`;
  map.state.theme = {
    background,
    grid: mixed(background, text, 0.07),
    zero: mixed(background, text, 0.24),
    rim: mixed(text, background, 0.1),
    text: css(text),
    quiet: css(mixed(text, background, 0.35)),
    border: css(mixed(background, text, 0.2)),
    faint: css(mixed(background, text, 0.1)),
    halo: css(background, 0.85),
    primary: read("--st-primary-color", "#0b6e6e"),
    font: read("--st-font", "sans-serif"),
  };
  const primary = map.state.theme.primary;
  map.state.css = map.state.css.map((colour) => (colour.startsWith("var(") ? primary : colour));
  map.state.rgb = map.state.css.map((colour) => parseColour(colour));
}
