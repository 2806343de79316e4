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

// One symbol of a radius with an edge around it, shifted by (fx, fy) of a pixel. Lists of pixels:
// `solid` are covered wholly; the others give way (`keep`), to the edge (`edge`) and the symbol
// (`fill`), in 256ths that sum to 256.
function cut(corners, radius, edge, fx, fy) {
  const outline = (reach) =>
    corners && corners.flatMap(([x, y]) => [x * reach + fx, y * reach + fy]);
  const [inner, outer] = [outline(radius), outline(radius + edge)];
  const covers = (shape, reach, x, y) =>
    shape ? inside(x, y, shape) : (x - fx) ** 2 + (y - fy) ** 2 < reach * reach;
  const size = Math.ceil((radius + edge) * 1.6) + 1;
  const solid = [];
  const soft = { dx: [], dy: [], keep: [], edge: [], fill: [] };
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
      const parts = 256 / (FINE * FINE);
      if (within === FINE * FINE) solid.push(px, py);
      else if (within + around) {
        soft.dx.push(px);
        soft.dy.push(py);
        soft.fill.push(within * parts);
        soft.edge.push(around * parts);
        soft.keep.push(256 - (within + around) * parts);
      }
    }
  }
  return {
    size,
    solidX: Int16Array.from(solid.filter((_, k) => k % 2 === 0)),
    solidY: Int16Array.from(solid.filter((_, k) => k % 2 === 1)),
    softX: Int16Array.from(soft.dx),
    softY: Int16Array.from(soft.dy),
    keep: Uint16Array.from(soft.keep),
    edge: Uint16Array.from(soft.edge),
    fill: Uint16Array.from(soft.fill),
    strides: new Map(),
  };
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
function steps(stamp, width) {
  let found = stamp.strides.get(width);
  if (!found) {
    const flat = (xs, ys) => Int32Array.from(xs, (x, k) => x + ys[k] * width);
    found = { solid: flat(stamp.solidX, stamp.solidY), soft: flat(stamp.softX, stamp.softY) };
    if (stamp.strides.size > 8) stamp.strides.clear();
    stamp.strides.set(width, found);
  }
  return found;
}

// Draw `rows` in order. Row i stands at (sx[i], sy[i]) * ratio, in the colour
// colours[codes[i]] (or colours[codes[i] + level * n_codes] with `levels`) and the symbol of its
// code: stampsOf[code] are its stamps. `edge` is the colour of the thin edge, [r, g, b].
export function splat(image, sx, sy, rows, ratio, codes, colours, stampsOf, edge, levels = null) {
  const { width, height, pixels } = image;
  const [er, eg, eb] = edge;
  const nCodes = stampsOf.length;
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
    const colour = colours[levels ? code + levels[row] * nCodes : code];
    const cr = colour & 255;
    const cg = (colour >> 8) & 255;
    const cb = (colour >> 16) & 255;
    const { size, keep, fill, edge: rim } = stamp;
    const whole = px >= size && py >= size && px < width - size && py < height - size;
    const { solid, soft } = steps(stamp, width);
    const middle = py * width + px;
    for (let k = 0; k < solid.length; k += 1) {
      if (!whole && !within(px + stamp.solidX[k], py + stamp.solidY[k], width, height)) continue;
      pixels[middle + solid[k]] = colour;
    }
    for (let k = 0; k < soft.length; k += 1) {
      if (!whole && !within(px + stamp.softX[k], py + stamp.softY[k], width, height)) continue;
      const at = middle + soft[k];
      const old = pixels[at];
      const [a, b, c] = [keep[k], rim[k], fill[k]];
      const red = ((old & 255) * a + er * b + cr * c) >> 8;
      const green = (((old >> 8) & 255) * a + eg * b + cg * c) >> 8;
      const blue = (((old >> 16) & 255) * a + eb * b + cb * c) >> 8;
      pixels[at] = (255 << 24) | (blue << 16) | (green << 8) | red;
    }
  }
}

function within(x, y, width, height) {
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
