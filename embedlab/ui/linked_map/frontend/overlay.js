// The upper canvas: the numbers at a space, lines, arrows, rings, the region being drawn.

import { arrowWithin, namePlaces, nearestOfName } from "./arrows.js";
import { boxLabels, haloText } from "./axes.js";
import { onScreen } from "./plot.js";
import { fitCanvas } from "./points.js";

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
  if (panel.dims === 3) boxLabels(panel, context, state.theme);
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

// Arrows lie above the points, the shorter ones above the longer ones, their names above all. One
// that leaves the plot ends at the frame, with two wings in place of a head.
export function drawArrows(panel, context, theme) {
  const found = arrowsOnScreen(panel, context, theme);
  const order = found.map((_, k) => k).filter((k) => found[k]);
  order.sort((a, b) => found[b].length - found[a].length);
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const k of order) {
    const own = panel.arrows.colours[k] ?? theme.text;
    // A halo parts it from points, a rim from points of its own colour.
    for (const [rim, colour] of [[2.75, theme.halo], [1, theme.text], [0, own]]) {
      context.strokeStyle = colour;
      context.fillStyle = colour;
      drawArrow(context, found[k], rim);
    }
  }
  context.font = nameFont(theme);
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (const k of order) {
    const { at, half, to } = found[k];
    if (!at) continue;
    const end = nearestOfName(at, half, to);
    if (Math.hypot(end[0] - to[0], end[1] - to[1]) < 14) continue;
    for (const [width, colour] of [[3.5, theme.halo], [1, theme.text]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      context.moveTo(...to);
      context.lineTo(...end);
      context.stroke();
    }
  }
  context.fillStyle = theme.text;
  for (const k of order) {
    if (found[k].at) haloText(context, panel.arrows.names[k], ...found[k].at, theme);
  }
}

function nameFont(theme) {
  return `600 12px ${theme.font}`;
}

// Where the arrows and their names are now; worked out anew when the camera has moved.
function arrowsOnScreen(panel, context, theme) {
  const { arrows, dims, width, height } = panel;
  const start = onScreen(panel, new Array(dims).fill(0));
  const tips = arrows.names.map((_, k) =>
    onScreen(panel, arrows.vectors.slice(k * dims, (k + 1) * dims)),
  );
  const look = JSON.stringify([arrows.names, theme.font, start, tips, width, height]);
  if (panel.arrowLook === look) return panel.arrowPlaces;
  context.font = nameFont(theme);
  const found = tips.map((tip, k) => {
    const length = Math.hypot(tip[0] - start[0], tip[1] - start[1]);
    const part = length < 2 ? null : arrowWithin(start, tip, width, height);
    return part && { ...part, length, half: context.measureText(arrows.names[k]).width / 2 + 2 };
  });
  const places = namePlaces(found, width, height);
  found.forEach((arrow, k) => {
    if (arrow) arrow.at = places[k];
  });
  panel.arrowLook = look;
  panel.arrowPlaces = found;
  panel.plot.dataset.arrows = JSON.stringify({ // for those who look from outside
    width, height,
    arrows: arrows.names.map((name, k) => {
      const { to, whole, at = null, half } = found[k] ?? { to: null, whole: false, half: 0 };
      return { name, to, whole, at, half };
    }),
  });
  return found;
}

function drawArrow(context, { from, to, whole, length }, rim) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const seen = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / seen, dy / seen];
  const head = Math.min(13, 0.6 * length);
  const wings = (x, y) => [-1, 1].map((side) => [
    x - head * ux - side * head * 0.45 * uy, y - head * uy + side * head * 0.45 * ux,
  ]);
  context.lineWidth = 2.75 + 2 * rim;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(to[0] - (whole ? 0.8 * head * ux : 0), to[1] - (whole ? 0.8 * head * uy : 0));
  context.stroke();
  if (whole) {
    context.lineWidth = 2 * rim;
    context.beginPath();
    context.moveTo(...to);
    for (const wing of wings(...to)) context.lineTo(...wing);
    context.closePath();
    if (rim) context.stroke();
    context.fill();
    return;
  }
  for (const back of [2, 8]) {
    const tip = [to[0] - back * ux, to[1] - back * uy];
    const [left, right] = wings(...tip);
    context.beginPath();
    context.moveTo(...left);
    context.lineTo(...tip);
    context.lineTo(...right);
    context.stroke();
  }
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
