// Points drawn straight into an image: anti-aliased symbols with a thin edge, as stamps that are
// cut once for each shape and fraction of a pixel. Pure: an image is { width, height, pixels }
// with one Uint32 a pixel (little-endian RGBA).

import { inside } from "./geometry.js";

const FINE = 4; // stamps for quarters of a pixel, each corner sampled FINE x FINE times a pixel

export function rgba([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function mixed(a, b, share) {
  return a.map((value, k) => Math.round(value + (b[k] - value) * share));
}

// One symbol of a radius with an edge around it, shifted by (fx, fy) of a pixel. Lists of pixels as
// [x, y, ...]: `solid` are covered wholly; `soft` give way, to the edge and to the symbol, by shares
// in 256ths that sum to 256 (`weights`: what stays | edge << 9 | symbol << 18).
function cut(corners, radius, edge, fx, fy) {
  const outline = (reach) =>
    corners && corners.flatMap(([x, y]) => [x * reach + fx, y * reach + fy]);
  const [inner, outer] = [outline(radius), outline(radius + edge)];
  const covers = (shape, reach, x, y) =>
    shape ? inside(x, y, shape) : (x - fx) ** 2 + (y - fy) ** 2 < reach * reach;
  const size = Math.ceil((radius + edge) * 1.6) + 1;
  const parts = 256 / (FINE * FINE);
  const [solid, soft, weights] = [[], [], []];
  for (let py = -size; py <= size; py += 1) {
    for (let px = -size; px <= size; px += 1) {
      let [within, around] = [0, 0];
      for (let sy = 0; sy < FINE; sy += 1) {
        for (let sx = 0; sx < FINE; sx += 1) {
          const x = px + (sx + 0.5) / FINE - 0.5;
          const y = py + (sy + 0.5) / FINE - 0.5;
          if (covers(inner, radius, x, y)) within += 1;
          else if (covers(outer, radius + edge, x, y)) around += 1;
        }
      }
      if (within === FINE * FINE) solid.push(px, py);
      else if (within + around) {
        soft.push(px, py);
        const stays = 256 - (within + around) * parts;
        weights.push(stays | ((around * parts) << 9) | ((within * parts) << 18));
      }
    }
  }
  return { size, solid, soft, weights: Int32Array.from(weights), width: 0 };
}

const cuts = new Map();

// The FINE x FINE stamps of one symbol; `name` only tells them apart in the store.
export function stamps(name, corners, radius, edge) {
  const key = `${name} ${radius.toFixed(2)} ${edge.toFixed(2)}`;
  let made = cuts.get(key);
  if (!made) {
    if (cuts.size > 200) cuts.clear();
    made = new Array(FINE * FINE).fill(null);
    made.make = (k) => cut(corners, radius, edge, (k % FINE) / FINE, Math.floor(k / FINE) / FINE);
    cuts.set(key, made);
  }
  return made;
}

// Where a stamp's pixels lie in an image of some width, as steps from its middle.
function fitTo(stamp, width) {
  const flat = (places) =>
    Int32Array.from({ length: places.length / 2 }, (_, k) => places[2 * k] + places[2 * k + 1] * width);
  stamp.width = width;
  stamp.solidSteps = flat(stamp.solid);
  stamp.softSteps = flat(stamp.soft);
}

const RED_BLUE = 0x00ff00ff; // two channels are blended in one multiplication
const OPAQUE = 0xff000000 | 0;

// Draw `rows` in order. Row i stands at (sx[i], sy[i]) * ratio, in the colour
// colours[codes[i]] (or colours[codes[i] + level * n_codes] with `levels`) and the symbol of its
// code: stampsOf[code] are its stamps. `edge` is the colour of the thin edge, [r, g, b].
export function splat(image, sx, sy, rows, ratio, codes, colours, stampsOf, edge, levels = null) {
  const { width, height, pixels } = image;
  const nCodes = stampsOf.length;
  const rimOdd = new Int32Array(257);
  const rimGreen = new Int32Array(257);
  for (let k = 0; k <= 256; k += 1) {
    rimOdd[k] = Math.imul(edge[0] | (edge[2] << 16), k);
    rimGreen[k] = edge[1] * k;
  }
  for (let n = 0; n < rows.length; n += 1) {
    const row = rows[n];
    const x = sx[row] * ratio;
    const y = sy[row] * ratio;
    if (!(x > -64 && y > -64 && x < width + 64 && y < height + 64)) continue;
    const code = codes[row];
    const qx = Math.round(x * FINE);
    const qy = Math.round(y * FINE);
    const fraction = (qx & (FINE - 1)) + FINE * (qy & (FINE - 1));
    const shapes = stampsOf[code];
    const stamp = shapes[fraction] ?? (shapes[fraction] = shapes.make(fraction));
    const px = qx >> 2; // floor of the quarters
    const py = qy >> 2;
    const colour = colours[levels ? code + levels[row] * nCodes : code] | 0;
    const odd = colour & RED_BLUE;
    const green = (colour >>> 8) & 255;
    const { size, weights } = stamp;
    if (stamp.width !== width) fitTo(stamp, width);
    const { solidSteps: solid, softSteps: soft } = stamp;
    const whole = px >= size && py >= size && px < width - size && py < height - size;
    const middle = py * width + px;
    for (let k = 0; k < solid.length; k += 1) {
      if (!whole && !within(stamp.solid, k, px, py, width, height)) continue;
      pixels[middle + solid[k]] = colour;
    }
    for (let k = 0; k < soft.length; k += 1) {
      if (!whole && !within(stamp.soft, k, px, py, width, height)) continue;
      const at = middle + soft[k];
      const old = pixels[at];
      const weight = weights[k];
      const stays = weight & 511;
      const rim = (weight >> 9) & 511;
      const fill = weight >> 18;
      const redBlue =
        (Math.imul(old & RED_BLUE, stays) + rimOdd[rim] + Math.imul(odd, fill)) >>> 8;
      const middleGreen =
        Math.imul((old >>> 8) & 255, stays) + rimGreen[rim] + Math.imul(green, fill);
      pixels[at] = OPAQUE | (redBlue & RED_BLUE) | (middleGreen & 0xff00);
    }
  }
}

function within(places, k, px, py, width, height) {
  const x = px + places[2 * k];
  const y = py + places[2 * k + 1];
  return x >= 0 && y >= 0 && x < width && y < height;
}

export function line(image, at, across, colour) {
  const { width, height, pixels } = image;
  if (across) {
    if (at >= 0 && at < height) pixels.fill(colour, at * width, (at + 1) * width);
  } else if (at >= 0 && at < width) {
    for (let k = at; k < pixels.length; k += width) pixels[k] = colour;
  }
}

// A thin straight line of any slope, anti-aliased: at every step along its longer side the two
// nearest pixels share the colour.
export function stroke(image, [x0, y0], [x1, y1], [red, green, blue]) {
  const { width, height, pixels } = image;
  const steep = Math.abs(y1 - y0) > Math.abs(x1 - x0);
  const [a0, b0, a1, b1] = steep ? [y0, x0, y1, x1] : [x0, y0, x1, y1];
  const [from, to] = [Math.min(a0, a1), Math.max(a0, a1)];
  const slope = (b1 - b0) / (a1 - a0 || 1);
  const [long, short] = steep ? [height, width] : [width, height];
  for (let a = Math.max(0, Math.ceil(from)); a <= Math.min(long - 1, to); a += 1) {
    const b = b0 + slope * (a - a0);
    const floor = Math.floor(b);
    for (const [place, share] of [[floor, 1 - (b - floor)], [floor + 1, b - floor]]) {
      if (place < 0 || place >= short) continue;
      const at = steep ? a * width + place : place * width + a;
      const old = pixels[at];
      pixels[at] = rgba(
        mixed([old & 255, (old >>> 8) & 255, (old >>> 16) & 255], [red, green, blue], share),
      );
    }
  }
}
