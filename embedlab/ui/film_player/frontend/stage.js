// What is drawn: the origin, the points, filled where the prediction is right, and the arrows.

import { SYMBOLS } from "../../frontend/symbols.js";
import { camera2d, project2d } from "../../linked_map/frontend/camera.js";
import { drawArrows } from "../../linked_map/frontend/overlay.js";
import { fitCanvas } from "../../linked_map/frontend/points.js";
import { valuesAt } from "./timing.js";

const RADIUS = 5.4;

function trace(context, symbol, x, y, radius) {
  const corners = SYMBOLS[symbol];
  context.beginPath();
  if (!corners) context.arc(x, y, radius, 0, 2 * Math.PI);
  else for (const [dx, dy] of corners) context.lineTo(x + radius * dx, y + radius * dy);
  context.closePath();
}

// Draw a film at its position; leaves where each point stands in film.sx and film.sy.
export function drawStage(film) {
  const { canvas, state, position } = film;
  const { theme } = state;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return; // in a hidden tab
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  fitCanvas(canvas, { width, height }, ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const [left, low, right, high] = valuesAt(film.boxes, 4, position, film.box);
  const camera = camera2d(null, { low: [left, low], high: [right, high] }, width, height);
  valuesAt(film.coordinates, 2 * film.n, position, film.now);
  project2d(film.now, camera, film.sx, film.sy);
  origin(context, camera, width, height, theme);
  const moment = Math.round(position);
  const radius = film.n > 1000 ? 3 : RADIUS;
  for (const row of film.order) {
    const code = state.codes[row];
    const [x, y] = [film.sx[row], film.sy[row]];
    const right_ = film.predictions[moment * film.n + row] === code;
    trace(context, state.symbols[code], x, y, right_ ? radius : radius - 0.6);
    context.fillStyle = right_ ? state.css[code] : theme.halo;
    context.fill();
    context.lineWidth = right_ ? 0.8 : 1.9;
    context.strokeStyle = right_ ? theme.halo : state.css[code];
    context.stroke();
  }
  if (film.c) {
    valuesAt(film.tips, 2 * film.c, position, film.ends);
    const arrows = { names: film.arrowNames, vectors: [...film.ends], colours: film.arrowColours };
    drawArrows({ plot: canvas, arrows, dims: 2, camera, width, height }, context, theme);
  }
  if (film.hover !== null) encircle(context, film, theme.text, 4, 1.75, film.hover);
  if (film.picked !== null && film.picked < film.n) {
    encircle(context, film, theme.primary, 5, 3, film.picked);
  }
}

function origin(context, camera, width, height, theme) {
  context.strokeStyle = theme.border;
  context.lineWidth = 1;
  const [x, y] = [Math.round(camera.ox) + 0.5, Math.round(camera.oy) + 0.5];
  context.beginPath();
  context.moveTo(0, y);
  context.lineTo(width, y);
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.stroke();
}

function encircle(context, film, colour, gap, thickness, row) {
  context.beginPath();
  context.arc(film.sx[row], film.sy[row], RADIUS + gap, 0, 2 * Math.PI);
  context.lineWidth = thickness;
  context.strokeStyle = colour;
  context.stroke();
}
