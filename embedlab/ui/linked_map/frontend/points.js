// The lower canvas: points, and pictures in their place.

import { drawBox, drawGrid, tickLabels } from "./axes.js";
import { farToNear, spreadOut } from "./geometry.js";
import { picture, pictureNow } from "./pictures.js";
import { aim } from "./plot.js";
import { mixed, rgba, splat, stamps } from "./splat.js";
import { SYMBOLS } from "../../frontend/symbols.js";

const LEVELS_3D = 6;
const HAZE = 0.5; // how far the far end of a space fades into the background
const MUTED = 0.76; // how far points fade that are not selected while others are
const BEHIND = 0.45; // how far points fade behind pictures
const PICTURE = 38;
const MOST_PICTURES = 500;

function sayEmpty({ outer }, context, ratio, theme) {
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.font = `12px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textAlign = "center";
  context.fillText("No point has a place here.", outer.width / 2, outer.height / 2);
}

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
  if (!panel.box) {
    sayEmpty(panel, context, ratio, theme);
    return;
  }
  aim(panel);
  if (panel.pixels?.width !== width || panel.pixels?.height !== height) {
    panel.pixels = new ImageData(width, height);
  }
  const image = { width, height, pixels: new Uint32Array(panel.pixels.data.buffer) };
  image.pixels.fill(rgba(theme.background));
  const marks = panel.dims === 2 ? drawGrid(panel, image, ratio, theme) : null;
  if (panel.dims === 3) drawBox(panel, image, ratio, theme);

  const edge = panel.radius < 2 ? 0 : Math.max(0.75, 0.8 * ratio);
  const zoom = Math.min(1.7, Math.max(1, (panel.view?.zoom ?? 1) ** 0.3));
  const radius = Math.round(2 * panel.radius * zoom * ratio) / 2; // few sizes, few stamps to cut
  const share = fading(state) ? MUTED : state.pictures && state.store ? BEHIND : 0;
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
  draw(panel.rest, share, radius, theme.background);
  if (panel.ends.length) draw(panel.ends, 0, radius, theme.background);
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

// One selected point is ringed; only a selection of several makes the others fade.
function fading(state) {
  return state.nSelected > 1;
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

function drawPictures(panel, state, context) {
  const order = panel.depth
    ? farToNear(panel.depth, panel.rest).reverse()
    : panel.rest;
  const ranked = Uint32Array.from([...panel.chosen, ...panel.ends, ...order]);
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
    const muted = fading(state) && !state.selected[row];
    context.globalAlpha = muted ? 0.3 : 1;
    context.fillStyle = state.css[state.codes[row]];
    context.fillRect(x - 2, y - 2, w + 4, h + 4);
    context.drawImage(bitmap, x, y, w, h);
  }
  context.restore();
}
