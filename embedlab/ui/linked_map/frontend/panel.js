// One panel: its elements, and what pointer, wheel and keys do to it.

import {
  HOME_3D, moved3d, panned2d, turned3d, viewOfRows2d, zoomed2d, zoomed3d,
} from "./camera.js";
import { iconButton } from "./controls.js";
import { boxed, lassoed, pick, towards } from "./geometry.js";

const STILL = 4; // a pointer that moved less has clicked
const DOUBLE = 350; // ms

export function makePanel(about, map) {
  const element = document.createElement("figure");
  element.className = "panel";
  const head = document.createElement("figcaption");
  const title = document.createElement("span");
  title.className = "title";
  const note = document.createElement("span");
  note.className = "note";
  const panel = {
    name: about.name, element, title, note, view: null, drag: null, pointers: new Map(),
    lastClick: { time: 0, x: 0, y: 0 }, outer: { width: 0, height: 0 },
  };
  const expand = iconButton("expand", "Make this panel large, or small again", () => {
    element.classList.toggle("large");
    expand.setAttribute("aria-pressed", element.classList.contains("large"));
  });
  head.append(title, note, expand);
  const plot = document.createElement("div");
  plot.className = "plot";
  panel.plot = plot;
  panel.canvas = document.createElement("canvas");
  panel.over = document.createElement("canvas");
  panel.over.className = "over";
  panel.over.tabIndex = 0;
  panel.over.setAttribute("role", "application");
  plot.append(panel.canvas, panel.over);
  panel.below = document.createElement("p");
  panel.below.className = "below";
  element.append(head, plot, panel.below);
  listen(panel, map);
  return panel;
}

function listen(panel, map) {
  const { over } = panel;
  const at = (event) => {
    const box = over.getBoundingClientRect();
    return [event.clientX - box.left - panel.left, event.clientY - box.top - panel.top];
  };
  const guarded = (act) => (event) => {
    if (panel.camera && map.state.ready) act(event, ...at(event));
  };
  over.addEventListener("pointerdown", guarded((event, x, y) => press(panel, map, event, x, y)));
  over.addEventListener("pointermove", guarded((event, x, y) => move(panel, map, event, x, y)));
  over.addEventListener("pointerup", guarded((event, x, y) => release(panel, map, event, x, y)));
  over.addEventListener("pointercancel", (event) => {
    panel.pointers.delete(event.pointerId);
    panel.drag = null;
    map.drawOver();
  });
  over.addEventListener("pointerleave", (event) => {
    // A finger that is lifted leaves, and its card stays until the next tap.
    if (!panel.drag && event.pointerType !== "touch") map.hover(null);
  });
  over.addEventListener("wheel", guarded((event, x, y) => wheel(panel, map, event, x, y)), {
    passive: false,
  });
  over.addEventListener("keydown", (event) => key(panel, map, event));
  over.addEventListener("blur", () => map.setCursor(null));
}

// ---- pointer -----------------------------------------------------------------------------------

function press(panel, map, event, x, y) {
  if (event.button !== 0) return;
  panel.over.setPointerCapture(event.pointerId);
  panel.over.focus({ preventScroll: true, focusVisible: false });
  panel.pointers.set(event.pointerId, [x, y]);
  if (panel.pointers.size === 2) {
    panel.drag = { mode: "pinch", spread: spread(panel) };
    map.hover(null);
    return;
  }
  const { tool } = map.state;
  let mode = tool;
  if (tool === "pan") mode = event.shiftKey ? "lasso" : panel.dims === 3 ? "turn" : "pan";
  panel.drag = { mode, x, y, startX: x, startY: y, moved: false, outline: null };
}

function spread(panel) {
  const [[ax, ay], [bx, by]] = [...panel.pointers.values()];
  return { x: (ax + bx) / 2, y: (ay + by) / 2, apart: Math.hypot(ax - bx, ay - by) || 1 };
}

function move(panel, map, event, x, y) {
  const { drag } = panel;
  if (!drag) {
    if (event.pointerType !== "touch") map.hover(panel, find(panel, map, x, y), x, y);
    return;
  }
  panel.pointers.set(event.pointerId, [x, y]);
  if (drag.mode === "pinch") {
    if (panel.pointers.size < 2) return;
    const now = spread(panel);
    const { x: oldX, y: oldY, apart } = drag.spread;
    zoom(panel, now.apart / apart, oldX, oldY);
    shift(panel, now.x - oldX, now.y - oldY);
    drag.spread = now;
    map.draw(panel);
    return;
  }
  if (!drag.moved && Math.hypot(x - drag.startX, y - drag.startY) < STILL) return;
  if (!drag.moved) {
    drag.moved = true;
    map.hover(null);
    panel.over.classList.add("dragging");
  }
  const [dx, dy] = [x - drag.x, y - drag.y];
  [drag.x, drag.y] = [x, y];
  if (drag.mode === "pan") {
    panel.view = panned2d(panel.camera, dx, dy);
    panel.camera = { ...panel.camera, ox: panel.camera.ox + dx, oy: panel.camera.oy + dy };
    map.draw(panel);
  } else if (drag.mode === "turn") {
    panel.view = turned3d(panel.view, dx, dy);
    map.draw(panel);
  } else {
    if (drag.mode === "box") drag.outline = [drag.startX, drag.startY, x, y];
    else (drag.outline ??= [drag.startX, drag.startY]).push(x, y);
    map.drawOver(panel);
  }
}

function release(panel, map, event, x, y) {
  const { drag } = panel;
  panel.pointers.delete(event.pointerId);
  panel.over.classList.remove("dragging");
  if (!drag) return;
  if (drag.mode === "pinch") {
    if (panel.pointers.size === 0) {
      panel.drag = null;
      map.keepView(panel);
    }
    return;
  }
  panel.drag = null;
  if (!drag.moved) {
    click(panel, map, event, x, y);
  } else if (drag.outline) {
    const rows = drag.mode === "box"
      ? boxed(panel.sx, panel.sy, panel.shown, ...drag.outline)
      : lassoed(panel.sx, panel.sy, panel.shown, drag.outline);
    map.select(rows, { add: event.shiftKey });
  } else {
    map.keepView(panel);
  }
}

function click(panel, map, event, x, y) {
  const { time, x: oldX, y: oldY } = panel.lastClick;
  const now = event.timeStamp;
  if (now - time < DOUBLE && Math.hypot(x - oldX, y - oldY) < 12) {
    panel.lastClick = { time: 0, x: 0, y: 0 };
    home(panel, map);
    return;
  }
  panel.lastClick = { time: now, x, y };
  const row = find(panel, map, x, y, event.pointerType === "touch" ? 18 : 0);
  if (row < 0) {
    map.hover(null);
    return;
  }
  map.choose(row, event.shiftKey);
  if (event.pointerType === "touch") map.hover(panel, row, x, y);
}

export function find(panel, map, x, y, least = 0) {
  const reach = Math.max(least, map.state.pictures ? 20 : 9, panel.radius + 5);
  return pick(panel.sx, panel.sy, panel.shown, x, y, reach, panel.depth, panel.radius + 1);
}

// ---- zoom ----------------------------------------------------------------------------------------

function zoom(panel, factor, x, y) {
  const { width, height } = panel;
  if (panel.dims === 3) panel.view = zoomed3d(panel.view, factor, x, y, width, height);
  else panel.view = zoomed2d(panel.camera, factor, x, y);
  refresh(panel);
}

function shift(panel, dx, dy) {
  if (panel.dims === 3) panel.view = moved3d(panel.view, dx, dy, panel.width, panel.height);
  else panel.view = panned2d(panel.camera, dx, dy);
  refresh(panel);
}

// The camera of a plane after a change of its view, before the next drawing.
function refresh(panel) {
  if (panel.dims !== 2) return;
  const { width, height, home: base } = panel.camera;
  const scale = base * panel.view.zoom;
  panel.camera = {
    ...panel.camera, scale, ox: width / 2 - scale * panel.view.cx,
    oy: height / 2 + scale * panel.view.cy,
  };
}

function wheel(panel, map, event, x, y) {
  const away = event.deltaY > 0;
  const zoomedIn = (panel.view?.zoom ?? 1) > 1.001;
  // Somebody who scrolls through the page, or out of a panel at rest, wants the page to move.
  if (!event.ctrlKey && (map.pageScrolls() || (away && !zoomedIn))) return;
  event.preventDefault();
  const unit = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 400 : 1;
  const change = Math.max(-300, Math.min(300, event.deltaY * unit));
  zoom(panel, Math.exp(-change * (event.ctrlKey ? 0.01 : 0.002)), x, y);
  if (away && panel.view.zoom <= 1.02) {
    panel.view = panel.dims === 3 ? { ...panel.view, zoom: 1, dx: 0, dy: 0 } : null;
  }
  map.draw(panel);
  map.keepView(panel);
  map.hover(null);
}

export function home(panel, map) {
  if (!panel.camera) return;
  panel.view = null;
  map.draw(panel);
  map.keepView(panel);
}

export function focusOn(panel, map, rows) {
  if (!panel.camera) return;
  if (panel.dims === 2) {
    const here = rows.filter((row) => panel.shown[row]);
    const view = viewOfRows2d(panel.coordinates, here, panel.box, panel.width, panel.height);
    if (view) panel.view = view;
  } else {
    panel.view = { ...(panel.view ?? HOME_3D), ...middleOf(panel, rows) };
  }
  map.draw(panel);
  map.keepView(panel);
}

// In a space, some rows are brought to the middle and their spread to four fifths of the plot.
function middleOf(panel, rows) {
  const { width, height, sx, sy, camera } = panel;
  const here = rows.filter((row) => panel.shown[row]);
  if (!here.length) return {};
  const ends = (values) => [Math.min(...values), Math.max(...values)];
  const [left, right] = ends(here.map((row) => sx[row] - camera.ox));
  const [top, bottom] = ends(here.map((row) => sy[row] - camera.oy));
  const now = panel.view?.zoom ?? 1;
  const room = Math.min(width / (right - left || 1), height / (bottom - top || 1));
  const next = Math.min(here.length > 1 ? 40 : 4, Math.max(1, 0.8 * room * now));
  const side = Math.min(width, height);
  return {
    zoom: next,
    dx: (-(left + right) / 2) * (next / now) / side,
    dy: (-(top + bottom) / 2) * (next / now) / side,
  };
}

// ---- keys ------------------------------------------------------------------------------------------

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function key(panel, map, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.stopPropagation(); // the app has shortcuts of its own: r runs again, c clears caches
  if (!panel.camera || event.key === "Tab") return;
  const { width, height } = panel;
  if (event.key in WAYS) {
    event.preventDefault();
    const { cursor } = map.state;
    const row = cursor !== null && panel.shown[cursor]
      ? towards(panel.sx, panel.sy, panel.shown, cursor, ...WAYS[event.key])
      : pick(panel.sx, panel.sy, panel.shown, width / 2, height / 2, Infinity);
    if (row >= 0) map.setCursor(row, panel);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    if (map.state.cursor !== null) map.choose(map.state.cursor, event.shiftKey);
  } else if (event.key === "Escape") {
    map.clear();
  } else if (event.key === "+" || event.key === "=" || event.key === "-") {
    zoom(panel, event.key === "-" ? 1 / 1.4 : 1.4, width / 2, height / 2);
    map.draw(panel);
    map.keepView(panel);
  } else if (event.key === "0") {
    home(panel, map);
  }
}
