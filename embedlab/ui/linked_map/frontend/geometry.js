// Pure functions on numbers and typed arrays: picking, regions, order, ticks. Nothing here
// touches the page. Screen coordinates are CSS pixels inside the plot, y downwards; a `shown`
// array holds 1 for every point that is drawn.

// ---- picking and regions -----------------------------------------------------------------------

// The shown point nearest to (x, y) within `reach`; -1 when there is none. Among points whose disc
// (radius) lies under the pointer, a space gives the one in front.
export function pick(sx, sy, shown, x, y, reach, depth = null, radius = 0) {
  let best = -1;
  let least = reach * reach;
  let front = -Infinity;
  const disc = radius * radius;
  for (let i = 0, n = sx.length; i < n; i += 1) {
    const dx = sx[i] - x;
    const dy = sy[i] - y;
    const d = dx * dx + dy * dy;
    if (!(d <= least) || !shown[i]) continue; // false for NaN, a row without a place
    if (depth && d <= disc) {
      if (depth[i] <= front) continue;
      front = depth[i];
      least = disc;
    } else {
      least = d;
    }
    best = i;
  }
  return best;
}

// The shown point that an arrow key leads to: nearest within 60 degrees of the direction, where
// way aside counts double. -1 when there is none.
export function towards(sx, sy, shown, from, dx, dy) {
  let best = -1;
  let least = Infinity;
  for (let i = 0, n = sx.length; i < n; i += 1) {
    if (!shown[i] || i === from) continue;
    const x = sx[i] - sx[from];
    const y = sy[i] - sy[from];
    const along = x * dx + y * dy;
    const aside = Math.abs(x * dy - y * dx);
    if (along <= 0 || aside > 1.75 * along) continue;
    const cost = along + 2 * aside;
    if (cost < least) {
      least = cost;
      best = i;
    }
  }
  return best;
}

// Whether (x, y) lies within a closed outline [x0, y0, x1, y1, ...] (even-odd rule).
export function inside(x, y, outline) {
  let within = false;
  const n = outline.length;
  for (let i = 0, j = n - 2; i < n; j = i, i += 2) {
    const yi = outline[i + 1];
    const yj = outline[j + 1];
    if (yi > y === yj > y) continue;
    if (x < ((outline[j] - outline[i]) * (y - yi)) / (yj - yi) + outline[i]) within = !within;
  }
  return within;
}

// Rows of the shown points within an outline.
export function lassoed(sx, sy, shown, outline) {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < outline.length; i += 2) {
    left = Math.min(left, outline[i]);
    right = Math.max(right, outline[i]);
    top = Math.min(top, outline[i + 1]);
    bottom = Math.max(bottom, outline[i + 1]);
  }
  const rows = [];
  for (let i = 0, n = sx.length; i < n; i += 1) {
    if (!shown[i]) continue;
    const x = sx[i];
    const y = sy[i];
    if (x < left || x > right || y < top || y > bottom) continue;
    if (inside(x, y, outline)) rows.push(i);
  }
  return rows;
}

export function boxed(sx, sy, shown, x0, y0, x1, y1) {
  const [left, right] = x0 < x1 ? [x0, x1] : [x1, x0];
  const [top, bottom] = y0 < y1 ? [y0, y1] : [y1, y0];
  const rows = [];
  for (let i = 0, n = sx.length; i < n; i += 1) {
    if (shown[i] && sx[i] >= left && sx[i] <= right && sy[i] >= top && sy[i] <= bottom) rows.push(i);
  }
  return rows;
}

// ---- drawing order ----------------------------------------------------------------------------

// All rows once, in an order without pattern, so that no class lies over another by its place in
// the file: steps of about the golden section, coprime to n.
export function mixedOrder(n) {
  const order = new Uint32Array(n);
  if (n < 3) return order.map((_, k) => k);
  const gcd = (a, b) => (b ? gcd(b, a % b) : a);
  let step = Math.round(n * 0.6180339887);
  while (gcd(step, n) !== 1) step += 1;
  for (let k = 0, row = 0; k < n; k += 1, row = (row + step) % n) order[k] = row;
  return order;
}

const LEVELS = 1024;

// Rows from far to near; depth lies between -1 and 1.
export function farToNear(depth, rows) {
  const level = (row) =>
    Math.max(0, Math.min(LEVELS - 1, Math.floor(((depth[row] + 1) / 2) * LEVELS))) || 0;
  const starts = new Uint32Array(LEVELS + 1);
  for (let k = 0; k < rows.length; k += 1) starts[level(rows[k]) + 1] += 1;
  for (let k = 0; k < LEVELS; k += 1) starts[k + 1] += starts[k];
  const sorted = new Uint32Array(rows.length);
  for (let k = 0; k < rows.length; k += 1) {
    const l = level(rows[k]);
    sorted[starts[l]] = rows[k];
    starts[l] += 1;
  }
  return sorted;
}

// Rows that get a picture: taken in the given order wherever a square of `size` around the point
// is still free by three quarters, at most `limit`.
export function spreadOut(sx, sy, shown, order, width, height, size, limit) {
  const step = size * 0.75;
  const columns = Math.ceil(width / step) + 2;
  const taken = new Map();
  const rows = [];
  for (let k = 0; k < order.length && rows.length < limit; k += 1) {
    const row = order[k];
    if (!shown[row]) continue;
    const x = sx[row];
    const y = sy[row];
    if (x < 0 || y < 0 || x > width || y > height) continue;
    const column = Math.floor(x / step);
    const line = Math.floor(y / step);
    let free = true;
    for (let dy = -1; dy <= 1 && free; dy += 1) {
      for (let dx = -1; dx <= 1 && free; dx += 1) {
        const other = taken.get((line + dy) * columns + column + dx);
        if (other === undefined) continue;
        free = Math.max(Math.abs(sx[other] - x), Math.abs(sy[other] - y)) >= step;
      }
    }
    if (!free) continue;
    taken.set(line * columns + column, row);
    rows.push(row);
  }
  return rows;
}

// ---- axes ---------------------------------------------------------------------------------------

// Round numbers between low and high, about `count` of them, and their decimals.
export function ticks(low, high, count) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return { values: [], decimals: 0 };
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((m) => m * power >= raw * 0.999);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const values = [];
  for (let k = first; k <= last; k += 1) values.push(k * step + 0); // no -0
  return { values, decimals };
}

export function tickText(value, decimals) {
  if (value === 0 && decimals > 5) return "0";
  if (value !== 0 && (Math.abs(value) >= 1e6 || decimals > 5)) {
    return value.toExponential(1).replaceAll("-", "\u2212");
  }
  const text = Math.abs(value).toFixed(decimals);
  return (Number(text) === 0 ? "" : value < 0 ? "\u2212" : "") + text;
}

// A good radius for so many points, in CSS pixels.
export function pointRadius(n) {
  return Math.min(5.2, Math.max(1.6, 7.2 - 1.15 * Math.log10(Math.max(1, n))));
}

// ---- a set of rows as bits ------------------------------------------------------------------------

export function maskToBits(mask) {
  const bytes = new Uint8Array((mask.length + 7) >> 3);
  for (let i = 0; i < mask.length; i += 1) if (mask[i]) bytes[i >> 3] |= 1 << (i & 7);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(text);
}

export function bitsToMask(bits, n) {
  const mask = new Uint8Array(n);
  if (!bits) return mask;
  const text = atob(bits);
  for (let i = 0; i < n; i += 1) mask[i] = (text.charCodeAt(i >> 3) >> (i & 7)) & 1;
  return mask;
}

// The value, or the nearest one between low and high; their middle where they have crossed.
export function clamped(value, low, high) {
  return low > high ? (low + high) / 2 : Math.min(high, Math.max(low, value));
}
