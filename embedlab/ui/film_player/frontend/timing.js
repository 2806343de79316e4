// Pure functions of a film: where it stands between two moments, and what it shows there.
// Positions count moments: 2.25 is a quarter of the way from the third moment to the fourth.

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// The moments before and after a position, and how far it is from the one to the other, beginning
// and ending gently.
export function between(position, count) {
  const from = clamp(Math.floor(position), 0, count - 1);
  const share = clamp(position - from, 0, 1);
  return { from, to: Math.min(from + 1, count - 1), share: share * share * (3 - 2 * share) };
}

// The values at a position: `frames` holds `size` numbers a moment, one moment after the other.
export function valuesAt(frames, size, position, out) {
  const { from, to, share } = between(position, frames.length / size);
  for (let k = 0; k < size; k += 1) {
    const a = frames[from * size + k];
    out[k] = a + share * (frames[to * size + k] - a);
  }
  return out;
}

// Low and high corner of each moment: 4 numbers a moment, lowest x and y, highest x and y.
// Arrows widen it, at most to 1.6 times the points' own extent.
export function boxesOf(coordinates, n, tips, c) {
  const count = coordinates.length / (2 * n);
  const boxes = new Float32Array(4 * count);
  for (let t = 0; t < count; t += 1) {
    for (let axis = 0; axis < 2; axis += 1) {
      let low = Infinity;
      let high = -Infinity;
      for (let i = 0; i < n; i += 1) {
        const value = coordinates[2 * (t * n + i) + axis];
        if (value < low) low = value;
        if (value > high) high = value;
      }
      const room = 0.3 * (high - low);
      let [least, most] = [low, high];
      for (let k = 0; k < c; k += 1) {
        const value = tips[2 * (t * c + k) + axis];
        least = Math.min(least, Math.max(value, low - room));
        most = Math.max(most, Math.min(value, high + room));
      }
      boxes[4 * t + axis] = least;
      boxes[4 * t + 2 + axis] = most;
    }
  }
  return boxes;
}

// One box for the film, wide enough for most moments; one that needs more room gets more.
export function steadyBoxes(boxes) {
  const count = boxes.length / 4;
  const usual = [0, 1, 2, 3].map((side) => {
    const values = Array.from({ length: count }, (_, t) => boxes[4 * t + side]);
    values.sort((a, b) => (side < 2 ? b - a : a - b));
    return values[Math.ceil(0.7 * (count - 1))];
  });
  return boxes.map((value, k) =>
    k % 4 < 2 ? Math.min(usual[k % 4], value) : Math.max(usual[k % 4], value),
  );
}

// The same instant among other moments: both rows of steps ascend.
export function carriedOver(position, steps, newSteps) {
  const { from, to } = between(position, steps.length);
  const step = steps[from] + (position - from) * (steps[to] - steps[from]);
  const last = newSteps.length - 1;
  if (step >= newSteps[last]) return last;
  let k = 0;
  while (k < last - 1 && newSteps[k + 1] <= step) k += 1;
  const width = newSteps[k + 1] - newSteps[k];
  return clamp(k + (width > 0 ? (step - newSteps[k]) / width : 0), 0, last);
}

// Where a film stands when its moments have come, or others in their place: it keeps its instant,
// and the moment that it was on its way to. One that follows goes on to the newest moment, unless
// somebody holds it at an earlier one. `steps` is null before there were any.
export function arrive({ steps, position, target, playing, held }, newSteps, follow) {
  const last = newSteps.length - 1;
  if (!steps) {
    const at = follow ? last : 0;
    return { position: at, target: at, span: 0, playing: false };
  }
  const at = carriedOver(position, steps, newSteps);
  const going = follow && !held ? at < last : playing;
  const to = going ? at : clamp(Math.round(carriedOver(target, steps, newSteps)), 0, last);
  return { position: at, target: to, span: Math.abs(to - at), playing: going };
}

// Milliseconds from one moment to the next, so that a film takes 4 to 14 seconds.
export function pace(count) {
  return clamp(12000 / Math.max(count - 1, 1), 140, 900);
}

// Where a film stands after so many milliseconds on its way to a target.
export function approach(position, target, elapsed, span) {
  const step = (elapsed / 320) * Math.max(1, span);
  return target > position ? Math.min(target, position + step) : Math.max(target, position - step);
}
