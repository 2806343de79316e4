// The film player: the same pictures at one moment of a training after the other.

import { fetchBytes } from "../../frontend/media.js";
import { symbolIcon } from "../../frontend/symbols.js";
import { mixedOrder, pick } from "../../linked_map/frontend/geometry.js";
import { hideCard, makeCard, showCard } from "../../linked_map/frontend/hover.js";
import { unpack } from "../../linked_map/frontend/pack.js";
import { fetchAhead, offerSheets, openStore } from "../../linked_map/frontend/pictures.js";
import { readTheme } from "../../linked_map/frontend/theme.js";
import { drawStage } from "./stage.js";
import { approach, arrive, boxesOf, clamp, pace, steadyBoxes } from "./timing.js";

const films = new WeakMap(); // parentElement -> film; the export runs again on every change
const left = new Map(); // key -> where a film that follows stood when its element went away
const REACH = 16;
const NAMED = 24; // classes that the legend names
const PATHS = {
  play: "M5 3.5 15.5 10 5 16.5Z",
  pause: "M5.5 4h3v12h-3ZM11.5 4h3v12h-3Z",
  back: "M13.5 4 7 10l6.5 6Z",
  on: "M6.5 4 13 10l-6.5 6Z",
};

export default function filmPlayer(component) {
  const { parentElement } = component;
  let film = films.get(parentElement);
  if (!film) {
    film = makeFilm(parentElement);
    films.set(parentElement, film);
  }
  film.send = (row) => component.setStateValue("picked", row);
  load(film, component.data);
  return () => {
    film.close();
    films.delete(parentElement);
  };
}

function tag(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function button(title, path, act) {
  const made = tag("button", "tool");
  made.type = "button";
  made.addEventListener("click", act);
  made.sign = (label, d) => {
    made.title = label;
    made.setAttribute("aria-label", label);
    made.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true"><path d="${d}"/></svg>`;
  };
  made.sign(title, path);
  return made;
}

function makeFilm(parent) {
  const root = tag("section", "film");
  const legend = tag("div", "legend");
  const plot = tag("div", "plot");
  const canvas = tag("canvas", "");
  canvas.setAttribute("role", "img");
  const foot = tag("div", "foot");
  const slider = tag("input", "moments");
  Object.assign(slider, { type: "range", min: 0, step: 1 });
  slider.setAttribute("aria-label", "Moment of the training");
  const status = tag("div", "status");
  status.setAttribute("role", "status");
  const film = {
    root, legend, plot, canvas, slider, status, position: 0, target: 0, span: 0, playing: false,
    held: false, hover: null, picked: null, updates: 0, applied: 0, steps: null, frame: null, last: null,
    state: { css: [], rgb: [], symbols: [], codes: [], captions: null, colour: null, store: null },
  };
  film.playButton = button("Play", PATHS.play, () => (film.playing ? pause(film) : play(film)));
  const back = button("One moment back", PATHS.back, () => goTo(film, Math.round(film.position) - 1));
  const on = button("One moment on", PATHS.on, () => goTo(film, Math.round(film.position) + 1));
  foot.append(film.playButton, back, slider, on);
  plot.append(canvas);
  root.append(legend, plot, foot, status);
  parent.append(root);
  film.card = makeCard(root);
  slider.addEventListener("input", () => goTo(film, Number(slider.value)));
  // Streamlit's own keys (r, c) are for the page, not for who plays a film.
  root.addEventListener("keydown", (event) => event.stopPropagation());
  const local = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointermove", (event) => look(film, ...local(event)));
  canvas.addEventListener("pointerleave", () => look(film, -1e6, -1e6));
  canvas.addEventListener("click", (event) => {
    look(film, ...local(event));
    if (film.hover === null) return;
    film.picked = film.hover;
    film.send(film.picked);
    wake(film);
  });
  const observer = new ResizeObserver(() => wake(film));
  observer.observe(plot);
  film.close = () => {
    const { steps, position, target, held, token } = film;
    if (film.follow && steps) left.set(film.key, { steps, position, target, held, token });
    observer.disconnect();
    cancelAnimationFrame(film.frame);
    root.remove();
  };
  return film;
}

async function load(film, data) {
  const mine = (film.updates += 1);
  film.root.style.setProperty("--height", `${data.height}px`);
  film.canvas.setAttribute("aria-label", data.label);
  let cast;
  let frames;
  try {
    [cast, frames] = (await Promise.all([data.cast, data.frames].map(fetchBytes))).map(unpack);
  } catch (error) {
    if (mine > film.applied) film.status.textContent = "The film could not be loaded; reload the page.";
    return;
  }
  if (mine < film.applied) return; // newer frames came meanwhile
  film.applied = mine;
  const { state } = film;
  const { coordinates, tips, predictions } = frames.arrays;
  if (!film.steps && data.follow) Object.assign(film, left.get(data.key));
  if (film.token !== data.token) film.steps = null;
  Object.assign(film, {
    token: data.token, key: data.key, follow: data.follow, coordinates, tips, predictions, n: cast.ids.length,
    c: data.arrows.length, names: data.names,
    arrowNames: data.arrows.map((k) => data.classes[k]), arrowColours: data.arrows.map((k) => data.colours[k]),
    notes: data.notes, count: data.names.length, order: mixedOrder(cast.ids.length),
    picked: data.picked,
  });
  const { n, c } = film;
  const boxes = boxesOf(coordinates, n, tips, c);
  film.boxes = data.zoom === "each" ? boxes : steadyBoxes(boxes);
  film.box = new Float32Array(4);
  film.now = new Float32Array(2 * n);
  film.ends = new Float32Array(2 * c);
  film.sx = new Float32Array(n);
  film.sy = new Float32Array(n);
  film.shown = new Uint8Array(n).fill(1);
  Object.assign(state, {
    css: [...data.colours], symbols: data.symbols, codes: cast.arrays.labels,
    colour: { label: "class", names: data.classes },
    captions: {
      ids: cast.ids, labels: ["class", "predicted"], words: [data.classes, data.classes],
      codes: [cast.arrays.labels, predictions.subarray(0, n)],
    },
    store: data.sheets && openStore(data.token, data.sheets.per),
  });
  readTheme(film);
  drawWords(film, data);
  film.slider.max = film.count - 1;
  Object.assign(film, arrive(film, data.steps, data.follow), { steps: data.steps });
  if (state.store) {
    offerSheets(state.store, data.sheets.urls);
    fetchAhead(state.store);
  }
  wake(film);
}

function drawWords(film, data) {
  const entries = data.classes.map((name, k) => {
    const entry = tag("span", "entry");
    entry.append(symbolIcon(data.symbols[k], data.colours[k], 12), tag("span", "name", name));
    return entry;
  });
  const more = entries.length > NAMED ? `and ${entries.length - NAMED} more classes · ` : "";
  film.legend.replaceChildren(
    ...entries.slice(0, NAMED), tag("span", "hint", `${more}filled: predicted rightly · hollow: wrongly`),
  );
}

function still() {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
}

function play(film) {
  if (film.position >= film.count - 1) film.position = 0;
  film.held = false;
  film.playing = true;
  wake(film);
}

function pause(film) {
  goTo(film, Math.round(film.position));
}

function goTo(film, moment) {
  film.playing = false;
  film.target = clamp(moment, 0, film.count - 1);
  film.held = film.target < film.count - 1;
  film.span = Math.abs(film.target - film.position);
  wake(film);
}

function wake(film) {
  if (film.steps && film.frame === null) film.frame = requestAnimationFrame((now) => tick(film, now));
}

function tick(film, now) {
  const elapsed = Math.min(100, film.last === null ? 16 : now - film.last);
  const end = film.count - 1;
  if (film.playing) {
    film.position = Math.min(end, film.position + elapsed / pace(film.count));
    film.target = film.position;
    if (film.position >= end) film.playing = false;
  } else if (film.position !== film.target) {
    film.position = approach(film.position, film.target, elapsed, film.span);
  }
  const moving = film.playing || film.position !== film.target;
  film.frame = null;
  film.last = moving ? now : null;
  show(film);
  if (moving) wake(film);
}

function show(film) {
  const { position } = film;
  const moment = Math.round(position);
  if (still()) film.position = moment;
  drawStage(film);
  film.position = position;
  film.playButton.sign(...(film.playing ? ["Pause", PATHS.pause] : ["Play", PATHS.play]));
  film.slider.value = film.playing ? moment : film.target; // keys count on from where it goes
  film.slider.setAttribute("aria-valuetext", film.names[moment]);
  film.root.dataset.moment = moment;
  const words = [film.names[moment], film.notes[moment]].filter(Boolean).join(" · ");
  if (film.status.textContent !== words) film.status.textContent = words;
  if (film.said !== moment || film.saidOf !== film.predictions) {
    film.said = moment;
    film.saidOf = film.predictions;
    const { captions } = film.state;
    const predicted = film.predictions.subarray(moment * film.n, (moment + 1) * film.n);
    film.state.captions = { ...captions, codes: [captions.codes[0], predicted] };
  }
  card(film);
}

function look(film, x, y) {
  if (!film.steps) return;
  const found = pick(film.sx, film.sy, film.shown, x, y, REACH);
  film.hover = found < 0 ? null : found;
  film.canvas.style.cursor = found < 0 ? "" : "pointer";
  wake(film);
}

function card(film) {
  if (film.hover === null) {
    hideCard(film.card);
    return;
  }
  const row = film.hover;
  const top = film.plot.offsetTop;
  showCard(
    film.card, film.state, row, film.sx[row], top + film.sy[row], film.root.clientWidth,
    film.root.clientHeight,
  );
}
