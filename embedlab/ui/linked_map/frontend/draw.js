// What a panel shows: points into the lower canvas, lines, arrows and rings onto the upper one.

import {
  camera2d, camera3d, extent, farToNear, placed, place3d, pointRadius, project2d, project3d,
  spreadOut, sphere, tickText, ticks, widened,
} from "./geometry.js";
import { line, mixed, rgba, splat, stamps } from "./splat.js";
import { picture, pictureNow } from "./pictures.js";
import { SYMBOLS } from "../../frontend/symbols.js";

const LEVELS_3D = 6;
const HAZE = 0.5; // how far the far end of a space fades into the background
const MUTED = 0.76; // how far points fade that are not selected while others are
const PICTURE = 38;
const MOST_PICTURES = 500;

// ---- what is drawn where --------------------------------------------------------------------

export function measure(panel) {
  const box = extent(panel.coordinates, panel.dims);
  panel.box = box && widened(box, panel.arrows?.vectors ?? [], panel.dims);
  panel.ball = box && panel.dims === 3 ? sphere(panel.box) : null;
  panel.n = panel.coordinates.length / panel.dims;
  panel.sx = new Float32Array(panel.n);
  panel.sy = new Float32Array(panel.n);
  panel.depth = panel.dims === 3 ? new Float32Array(panel.n) : null;
}

// Which rows are drawn, and in what order.
export function sortRows(panel, state) {
  const shown = new Uint8Array(panel.n);
  let drawn = 0;
  for (let row = 0; row < panel.n; row += 1) {
    if (state.off[state.codes[row]] || (state.visible && !state.visible[row])) continue;
    if (!placed(panel.coordinates, panel.dims, row)) continue;
    shown[row] = 1;
    drawn += 1;
  }
  const chosen = [];
  const rest = new Uint32Array(drawn);
  let k = 0;
  for (const row of state.order) {
    if (!shown[row]) continue;
    if (state.selected[row]) chosen.push(row);
    else {
      rest[k] = row;
      k += 1;
    }
  }
  panel.shown = shown;
  panel.rest = rest.subarray(0, k);
  panel.chosen = Uint32Array.from(chosen);
  panel.radius = pointRadius(drawn);
}

// The plot's place within the canvas.
export function layOut(panel, width, height) {
  const named = panel.axes.length > 0;
  const margin = { left: 6, right: 6, top: 6, bottom: 6 };
  if (panel.dims === 2 && (panel.ticks || named)) {
    margin.left = (named ? 18 : 4) + (panel.ticks ? 28 : 0);
    margin.bottom = (named ? 18 : 4) + (panel.ticks ? 16 : 0);
  }
  panel.left = margin.left;
  panel.top = margin.top;
  panel.width = Math.max(1, width - margin.left - margin.right);
  panel.height = Math.max(1, height - margin.top - margin.bottom);
}

export function aim(panel) {
  if (panel.dims === 2) {
    panel.camera = camera2d(panel.view, panel.box, panel.width, panel.height);
    project2d(panel.coordinates, panel.camera, panel.sx, panel.sy);
  } else {
    panel.camera = camera3d(panel.view, panel.ball, panel.width, panel.height);
    project3d(panel.coordinates, panel.camera, panel.sx, panel.sy, panel.depth);
  }
}

// Where a place in the panel's coordinates lies in the plot.
function onScreen(panel, point) {
  const { camera } = panel;
  if (panel.dims === 3) return place3d(point, camera);
  return [camera.ox + camera.scale * point[0], camera.oy - camera.scale * point[1]];
}

// ---- points ------------------------------------------------------------------------------------

// Colours as the stamps need them, for each code (and, in a space, each level of depth).
function colourTable(state, share, levels) {
  const { background } = state.theme;
  const table = new Uint32Array(state.rgb.length * levels);
  for (let level = 0; level < levels; level += 1) {
    const haze = levels > 1 ? HAZE * (1 - level / (levels - 1)) : 0;
    state.rgb.forEach((colour, code) => {
      const faded = mixed(mixed(colour, background, share), background, haze);
      table[level * state.rgb.length + code] = rgba(faded);
    });
  }
  return table;
}

export function drawPoints(panel, state) {
  const { canvas } = panel;
  const { theme } = state;
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const [width, height] = [panel.width, panel.height].map((side) => Math.round(side * ratio));
  fitCanvas(canvas, panel.outer, ratio);
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!panel.box) return;
  aim(panel);
  if (panel.pixels?.width !== width || panel.pixels?.height !== height) {
    panel.pixels = new ImageData(width, height);
  }
  const image = { width, height, pixels: new Uint32Array(panel.pixels.data.buffer) };
  image.pixels.fill(rgba(theme.background));
  const marks = panel.dims === 2 ? grid(panel, image, ratio, theme) : null;

  const edge = Math.max(0.75, 0.8 * ratio);
  const zoom = Math.min(1.7, Math.max(1, (panel.view?.zoom ?? 1) ** 0.3));
  const radius = panel.radius * zoom * ratio;
  const anySelected = state.nSelected > 0;
  const draw = (rows, share, size, rim) => {
    const levels = panel.dims === 3 ? LEVELS_3D : 1;
    const shapes = state.symbols.map((name) => {
      const symbol = size < 2.2 ? "circle" : name;
      return stamps(symbol, SYMBOLS[symbol] ?? null, size, edge);
    });
    splat(
      image, panel.sx, panel.sy, panel.depth ? farToNear(panel.depth, rows) : rows, ratio,
      state.codes, colourTable(state, share, levels), shapes, rim,
      panel.depth ? depthLevels(panel) : null,
    );
  };
  draw(panel.rest, anySelected ? MUTED : 0, radius, theme.background);
  if (panel.chosen.length) draw(panel.chosen, 0, radius * 1.18, theme.rim);
  context.putImageData(
    panel.pixels, Math.round(panel.left * ratio), Math.round(panel.top * ratio),
  );
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.strokeStyle = theme.border;
  context.lineWidth = 1;
  context.strokeRect(panel.left - 0.5, panel.top - 0.5, panel.width + 1, panel.height + 1);
  if (marks) tickLabels(panel, context, marks, theme);
  if (state.pictures && state.store) drawPictures(panel, state, context);
}

function depthLevels(panel) {
  panel.levels ??= new Uint8Array(panel.n);
  for (let row = 0; row < panel.n; row += 1) {
    const near = (panel.depth[row] + 0.75) / 1.5; // most points lie well within the sphere
    panel.levels[row] = Math.max(0, Math.min(LEVELS_3D - 1, Math.floor(near * LEVELS_3D)));
  }
  return panel.levels;
}

export function fitCanvas(canvas, { width, height }, ratio) {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
}

// ---- axes of a plane ------------------------------------------------------------------------------

function grid(panel, image, ratio, theme) {
  const { camera } = panel;
  const x = ticks(
    -camera.ox / camera.scale, (panel.width - camera.ox) / camera.scale, panel.width / 75,
  );
  const y = ticks(
    (camera.oy - panel.height) / camera.scale, camera.oy / camera.scale, panel.height / 60,
  );
  if (!panel.ticks) return { x: { ...x, values: [] }, y: { ...y, values: [] } };
  const thick = Math.max(1, Math.round(ratio));
  const rule = (at, across, zero) => {
    for (let k = 0; k < thick; k += 1) {
      line(image, Math.round(at * ratio) + k, across, rgba(zero ? theme.zero : theme.grid));
    }
  };
  for (const value of x.values) rule(camera.ox + camera.scale * value, false, value === 0);
  for (const value of y.values) rule(camera.oy - camera.scale * value, true, value === 0);
  return { x, y };
}

function tickLabels(panel, context, { x, y }, theme) {
  const { camera, left, top, width, height, axes } = panel;
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const value of x.values) {
    const at = Math.min(width - 8, Math.max(8, camera.ox + camera.scale * value));
    context.fillText(tickText(value, x.decimals), left + at, top + height + 4);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of y.values) {
    const at = Math.min(height - 6, Math.max(6, camera.oy - camera.scale * value));
    context.fillText(tickText(value, y.decimals), left - 5, top + at);
  }
  if (!axes.length) return;
  context.fillStyle = theme.text;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(axes[0], left + width / 2, panel.outer.height - 4, width);
  context.save();
  context.translate(11, top + height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(axes[1], 0, 0, height);
  context.restore();
}

// ---- axes of a space --------------------------------------------------------------------------------

function edgesOfBox(box) {
  const corner = (k) => [0, 1, 2].map((axis) => ((k >> axis) & 1 ? box.high[axis] : box.low[axis]));
  const edges = [];
  for (let k = 0; k < 8; k += 1) {
    for (let axis = 0; axis < 3; axis += 1) {
      if (!((k >> axis) & 1)) edges.push({ axis, from: corner(k), to: corner(k | (1 << axis)) });
    }
  }
  return edges;
}

function axes3d(panel, context, theme) {
  const middle = onScreen(panel, panel.ball.centre);
  const edges = edgesOfBox(panel.box).map((edge) => {
    const [a, b] = [onScreen(panel, edge.from), onScreen(panel, edge.to)];
    const half = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    return { ...edge, a, b, half, far: (a[2] + b[2]) / 2 };
  });
  context.lineWidth = 1;
  for (const { a, b, far } of edges) {
    context.strokeStyle = far > 0.15 ? theme.faint : theme.border;
    context.beginPath();
    context.moveTo(a[0], a[1]);
    context.lineTo(b[0], b[1]);
    context.stroke();
  }
  context.font = `11px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let axis = 0; axis < 3; axis += 1) {
    // The edge on the outside of the picture, below rather than above.
    const edge = edges
      .filter((candidate) => candidate.axis === axis)
      .reduce((best, next) => (reachOf(next, middle) > reachOf(best, middle) ? next : best));
    const length = Math.hypot(edge.b[0] - edge.a[0], edge.b[1] - edge.a[1]);
    if (length < 40) continue;
    const out = [edge.half[0] - middle[0], edge.half[1] - middle[1]];
    const size = Math.hypot(...out) || 1;
    const at = (share, off) => [
      edge.a[0] + (edge.b[0] - edge.a[0]) * share + (out[0] / size) * off,
      edge.a[1] + (edge.b[1] - edge.a[1]) * share + (out[1] / size) * off,
    ];
    if (panel.ticks) {
      const [low, high] = [panel.box.low[axis], panel.box.high[axis]];
      const { values, decimals } = ticks(low, high, length / 60);
      context.fillStyle = theme.quiet;
      for (const value of values) {
        context.fillText(
          tickText(value, decimals), ...at((value - low) / (high - low || 1), 12),
        );
      }
    }
    if (panel.axes.length) {
      context.fillStyle = theme.text;
      haloText(context, panel.axes[axis], ...at(0.5, panel.ticks ? 29 : 14), theme);
    }
  }
}

function reachOf(edge, middle) {
  return Math.hypot(edge.half[0] - middle[0], edge.half[1] - middle[1]) + edge.half[1] - middle[1];
}

function haloText(context, text, x, y, theme) {
  context.lineWidth = 3.5;
  context.lineJoin = "round";
  context.strokeStyle = theme.halo;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

// ---- pictures in place of points ----------------------------------------------------------------------

function drawPictures(panel, state, context) {
  const order = panel.depth
    ? farToNear(panel.depth, panel.rest).reverse()
    : panel.rest;
  const ranked = Uint32Array.from([...panel.chosen, ...order]);
  const size = panel.width < 260 ? PICTURE - 8 : PICTURE;
  const rows = spreadOut(
    panel.sx, panel.sy, panel.shown, ranked, panel.width, panel.height, size, MOST_PICTURES,
  );
  context.save();
  context.beginPath();
  context.rect(panel.left, panel.top, panel.width, panel.height);
  context.clip();
  for (const row of rows.reverse()) {
    const bitmap = pictureNow(state.store, row);
    if (!bitmap) {
      picture(state.store, row).then(() => state.redraw(), () => {});
      continue;
    }
    const share = size / Math.max(bitmap.width, bitmap.height);
    const [w, h] = [bitmap.width * share, bitmap.height * share];
    const x = panel.left + panel.sx[row] - w / 2;
    const y = panel.top + panel.sy[row] - h / 2;
    const muted = state.nSelected > 0 && !state.selected[row];
    context.globalAlpha = muted ? 0.3 : 1;
    context.fillStyle = state.css[state.codes[row]];
    context.fillRect(x - 2, y - 2, w + 4, h + 4);
    context.drawImage(bitmap, x, y, w, h);
  }
  context.restore();
}

// ---- the upper canvas -----------------------------------------------------------------------------------

export function drawOver(panel, state) {
  const { over } = panel;
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  fitCanvas(over, panel.outer, ratio);
  const context = over.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, panel.outer.width, panel.outer.height);
  if (!panel.box || !panel.camera) return;
  context.save();
  context.beginPath();
  context.rect(panel.left, panel.top, panel.width, panel.height);
  context.clip();
  context.translate(panel.left, panel.top);
  if (panel.dims === 3) axes3d(panel, context, state.theme);
  if (state.lines.length) drawLines(panel, state, context);
  if (panel.arrows) drawArrows(panel, context, state.theme);
  if (state.clicked !== null) ring(panel, context, state.clicked, 5, 3, state.theme.primary, state);
  if (state.cursor !== null) ring(panel, context, state.cursor, 8, 2, state.theme.text, state);
  if (state.hover !== null) ring(panel, context, state.hover, 4, 1.75, state.theme.text, state);
  if (panel.drag?.outline) drawRegion(panel.drag, context, state.theme);
  context.restore();
}

function ring(panel, context, row, gap, width, colour, state) {
  if (!panel.shown[row]) return;
  context.beginPath();
  context.arc(panel.sx[row], panel.sy[row], panel.radius + gap, 0, 2 * Math.PI);
  context.lineWidth = width + 2.5;
  context.strokeStyle = state.theme.halo;
  context.stroke();
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
}

function drawLines(panel, state, context) {
  const ends = [];
  context.beginPath();
  for (let k = 0; k < state.lines.length; k += 2) {
    const [a, b] = [state.lines[k], state.lines[k + 1]];
    if (!panel.shown[a] || !panel.shown[b]) continue;
    context.moveTo(panel.sx[a], panel.sy[a]);
    context.lineTo(panel.sx[b], panel.sy[b]);
    ends.push(b);
  }
  context.lineWidth = 3;
  context.strokeStyle = state.theme.halo;
  context.stroke();
  context.lineWidth = 1.25;
  context.strokeStyle = state.theme.text;
  context.stroke();
  for (const row of ends) {
    context.beginPath();
    context.arc(panel.sx[row], panel.sy[row], panel.radius + 1.5, 0, 2 * Math.PI);
    context.stroke();
  }
}

function drawArrows(panel, context, theme) {
  const { arrows, dims } = panel;
  const start = onScreen(panel, new Array(dims).fill(0));
  const tips = arrows.names.map((_, k) =>
    onScreen(panel, arrows.vectors.slice(k * dims, (k + 1) * dims)),
  );
  arrows.names.forEach((_, k) => {
    const [x, y] = tips[k];
    const length = Math.hypot(x - start[0], y - start[1]);
    if (length < 2) return;
    const [ux, uy] = [(x - start[0]) / length, (y - start[1]) / length];
    const head = Math.min(11, 0.6 * length);
    const wings = [-1, 1].map((side) => [
      x - head * ux - side * head * 0.45 * uy, y - head * uy + side * head * 0.45 * ux,
    ]);
    for (const [width, colour] of [[5, theme.halo], [2.25, arrows.colours[k] ?? theme.text]]) {
      context.lineWidth = width;
      context.lineCap = "round";
      context.lineJoin = "round";
      context.strokeStyle = colour;
      context.fillStyle = colour;
      context.beginPath();
      context.moveTo(start[0], start[1]);
      context.lineTo(x - 0.8 * head * ux, y - 0.8 * head * uy);
      context.stroke();
      context.beginPath();
      context.moveTo(x, y);
      for (const wing of wings) context.lineTo(...wing);
      context.closePath();
      if (width > 3) context.stroke();
      context.fill();
    }
  });
  context.font = `600 12px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = theme.text;
  const written = [];
  arrows.names.forEach((name, k) => {
    const [x, y] = tips[k];
    const length = Math.hypot(x - start[0], y - start[1]) || 1;
    const half = context.measureText(name).width / 2 + 2;
    const at = [
      x + ((x - start[0]) / length) * (half + 4), y + ((y - start[1]) / length) * 12,
    ];
    at[0] = Math.min(panel.width - half, Math.max(half, at[0]));
    at[1] = Math.min(panel.height - 8, Math.max(8, at[1]));
    const covered = ([bx, by, bh]) => Math.abs(bx - at[0]) < bh + half && Math.abs(by - at[1]) < 13;
    for (let k = 0; k < 6 && written.some(covered); k += 1) at[1] += y < start[1] ? -7 : 7;
    written.push([...at, half]);
    haloText(context, name, ...at, theme);
  });
}

function drawRegion({ outline, mode }, context, theme) {
  context.beginPath();
  if (mode === "box") {
    const [x0, y0, x1, y1] = outline;
    context.rect(x0, y0, x1 - x0, y1 - y0);
  } else {
    for (let k = 0; k < outline.length; k += 2) context.lineTo(outline[k], outline[k + 1]);
    context.closePath();
  }
  context.globalAlpha = 0.12;
  context.fillStyle = theme.primary;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.75;
  context.setLineDash([5, 4]);
  context.strokeStyle = theme.primary;
  context.stroke();
  context.setLineDash([]);
}
