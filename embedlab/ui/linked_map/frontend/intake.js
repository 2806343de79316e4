// What comes from Python: points, colours, panels, the state to begin with.

import { fetchBytes } from "../../frontend/media.js";
import { count } from "./acts.js";
import { drawLegend } from "./controls.js";
import { bitsToMask, mixedOrder } from "./geometry.js";
import { glide, mayGlide } from "./glide.js";
import { unpack } from "./pack.js";
import { makePanel } from "./panel.js";
import { fetchAhead, offerSheets, openStore } from "./pictures.js";
import { measure, sortRows } from "./plot.js";
import { mixed } from "./splat.js";
import { parseColour, readTheme, themeOf } from "./theme.js";
import { keptViews } from "./views.js";

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

export async function update(map, data) {
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
  if (!state.ready) state.pictures = data.pictures; // later, the person's own choice holds
  // Most runs of a page change nothing here but the selection that the map itself has sent.
  const look = JSON.stringify([{ ...data, state: null, sheets: null }, themeOf(map.root)]);
  const same = state.ready && look === map.look;
  map.look = look;
  if (!same) {
    takePoints(map, data, captions, visible);
    takeColours(state, data.colour, colours);
  }
  const moved = takeState(map, data);
  state.store = data.sheets && openStore(data.token, data.sheets.per);
  if (data.sheets) offerSheets(state.store, data.sheets.urls);
  if (same && !moved) return;
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
  if (state.store) fetchAhead(state.store);
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
  const news = revision !== state.revision && !state.sent.has(revision);
  if (news) {
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
    if (!keptViews.has(slot)) keptViews.set(slot, view);
  }
  return news;
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
    panel.title.title = about.title; // a long one is cut on a narrow screen
    panel.note.textContent = about.note;
    panel.note.title = about.note;
    panel.below.textContent = [arrows?.note, arrows?.origin].filter(Boolean).join(" · ");
    panel.below.hidden = !panel.below.textContent;
    const moved = panel.url !== about.url;
    const before = { ...panel };
    if (moved) {
      panel.gliding = null;
      panel.url = about.url;
      panel.token = data.token;
      panel.dims = about.dims;
      panel.coordinates = coordinates[k].arrays.coordinates;
      panel.camera = null;
      panel.levels = null;
      const kept = keptViews.get(`${map.state.memory} ${about.name}`);
      const { of, ...view } = kept ?? {};
      panel.view = kept && of === about.url ? view : null;
    }
    measure(panel);
    if (moved && mayGlide(before, panel)) glide(panel, before, map);
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
