// When the points of a panel have new places, they glide there, so that one sees which went where.

const GLIDE_MS = 600;
const MOST_GLIDING = 20000; // points; more of them jump

// Numbers on the way from one array to another; what has no place in the first is there at once.
export function onTheWay(from, to, share, into) {
  for (let i = 0; i < to.length; i += 1) {
    into[i] = Number.isFinite(from[i]) ? from[i] + (to[i] - from[i]) * share : to[i];
  }
  return into;
}

// Slow at both ends.
export function eased(share) {
  return share * share * (3 - 2 * share);
}

export function mayGlide(before, panel) {
  return Boolean(before.box && panel.box) && before.token === panel.token && before.dims === 2 && panel.dims === 2
    && before.coordinates.length === panel.coordinates.length
    && panel.coordinates.length <= 2 * MOST_GLIDING
    && !globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
}

// Let a panel, which has its new coordinates and extent, begin at those that it had before.
export function glide(panel, before, map) {
  const { coordinates, box } = panel;
  const mine = {};
  panel.gliding = mine;
  const from = Float32Array.from(before.coordinates);
  const shown = new Float32Array(coordinates.length);
  let begun = null;
  const step = (now) => {
    if (panel.gliding !== mine || !panel.element.isConnected) return; // newer places, or none
    begun ??= now;
    const share = Math.min(1, (now - begun) / GLIDE_MS);
    if (share === 1) {
      panel.coordinates = coordinates;
      panel.box = box;
    } else {
      const way = eased(share);
      panel.coordinates = onTheWay(from, coordinates, way, shown);
      panel.box = {
        low: onTheWay(before.box.low, box.low, way, []),
        high: onTheWay(before.box.high, box.high, way, []),
      };
      requestAnimationFrame(step);
    }
    map.draw(panel);
  };
  panel.coordinates = onTheWay(from, coordinates, 0, shown);
  panel.box = before.box;
  requestAnimationFrame(step);
}
