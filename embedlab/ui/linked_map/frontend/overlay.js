// The upper canvas: the numbers at a space, lines, arrows, rings, the region being drawn.

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

export function drawArrows(panel, context, theme) {
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
