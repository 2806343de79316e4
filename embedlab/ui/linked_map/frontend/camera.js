// Cameras: from a panel's coordinates to its screen and back, as pure functions. Screen coordinates
// are CSS pixels inside the plot, y downwards.

// ---- extents ---------------------------------------------------------------------------------

// Low and high corner over the rows that have a place; null when none has.
export function extent(coordinates, dims) {
  const low = new Array(dims).fill(Infinity);
  const high = new Array(dims).fill(-Infinity);
  for (let i = 0; i < coordinates.length; i += dims) {
    if (!placed(coordinates, dims, i / dims)) continue;
    for (let k = 0; k < dims; k += 1) {
      const value = coordinates[i + k];
      if (value < low[k]) low[k] = value;
      if (value > high[k]) high[k] = value;
    }
  }
  return low[0] === Infinity ? null : { low, high };
}

export function placed(coordinates, dims, row) {
  for (let k = 0; k < dims; k += 1) if (!Number.isFinite(coordinates[row * dims + k])) return false;
  return true;
}

// The extent of points and arrow tips; arrows widen it at most to `most` times the points' own.
export function widened(box, vectors, dims, most = 1.6) {
  const low = [...box.low];
  const high = [...box.high];
  for (let k = 0; k < dims; k += 1) {
    const room = ((most - 1) * (box.high[k] - box.low[k])) / 2;
    for (let i = k; i < vectors.length; i += dims) {
      low[k] = Math.min(low[k], Math.max(vectors[i], box.low[k] - room));
      high[k] = Math.max(high[k], Math.min(vectors[i], box.high[k] + room));
    }
  }
  return { low, high };
}

// ---- the camera of a plane: x right, y up, one scale for both axes ----------------------------

const MARGIN = 0.92;

// A view is null (everything) or { cx, cy, zoom }; a camera is what it means on this screen.
export function camera2d(view, box, width, height) {
  const dx = box.high[0] - box.low[0] || 1e-6;
  const dy = box.high[1] - box.low[1] || 1e-6;
  const home = MARGIN * Math.min(width / dx, height / dy);
  const scale = home * (view?.zoom ?? 1);
  const cx = view?.cx ?? (box.low[0] + box.high[0]) / 2;
  const cy = view?.cy ?? (box.low[1] + box.high[1]) / 2;
  return { scale, home, ox: width / 2 - scale * cx, oy: height / 2 + scale * cy, width, height };
}

export function project2d(coordinates, camera, sx, sy) {
  const { scale, ox, oy } = camera;
  for (let i = 0, n = sx.length; i < n; i += 1) {
    sx[i] = ox + scale * coordinates[2 * i];
    sy[i] = oy - scale * coordinates[2 * i + 1];
  }
}

export function viewOf2d(camera) {
  return {
    cx: (camera.width / 2 - camera.ox) / camera.scale,
    cy: (camera.oy - camera.height / 2) / camera.scale,
    zoom: camera.scale / camera.home,
  };
}

export function panned2d(camera, dx, dy) {
  return viewOf2d({ ...camera, ox: camera.ox + dx, oy: camera.oy + dy });
}

export const MOST_ZOOM = 400;
export const LEAST_ZOOM = 0.5;

// Zoom by a factor while the place under (x, y) stays where it is.
export function zoomed2d(camera, factor, x, y) {
  const now = camera.scale / camera.home;
  const wanted = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, now * factor));
  const f = wanted / now;
  return viewOf2d({
    ...camera,
    scale: camera.scale * f,
    ox: x + (camera.ox - x) * f,
    oy: y + (camera.oy - y) * f,
  });
}

// The view that shows some rows large; null when none of them has a place.
export function viewOfRows2d(coordinates, rows, box, width, height) {
  const some = extent(
    Float32Array.from(rows.flatMap((row) => [coordinates[2 * row], coordinates[2 * row + 1]])), 2,
  );
  if (!some) return null;
  const { home } = camera2d(null, box, width, height);
  const dx = some.high[0] - some.low[0];
  const dy = some.high[1] - some.low[1];
  const scale = 0.8 * Math.min(width / (dx || 1e-12), height / (dy || 1e-12));
  return {
    cx: (some.low[0] + some.high[0]) / 2,
    cy: (some.low[1] + some.high[1]) / 2,
    zoom: Math.min(rows.length > 1 ? 40 : 6, Math.max(1, scale / home)),
  };
}

// ---- the camera of a space: turntable, third axis upwards, parallel projection ----------------

export const HOME_3D = Object.freeze({ yaw: 0.6, pitch: 0.42, zoom: 1, dx: 0, dy: 0 });

// Middle of the box, and how far the farthest corner is from it.
export function sphere(box) {
  const centre = box.low.map((low, k) => (low + box.high[k]) / 2);
  return { centre, radius: Math.hypot(...box.high.map((high, k) => high - centre[k])) || 1e-6 };
}

export function camera3d(view, ball, width, height) {
  const { yaw, pitch, zoom, dx, dy } = view ?? HOME_3D;
  const [cy, sy, cp, sp] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  const home = (0.9 * Math.min(width, height)) / 2 / ball.radius;
  const side = Math.min(width, height);
  return {
    right: [cy, sy, 0],
    up: [-sy * sp, cy * sp, cp],
    near: [sy * cp, -cy * cp, sp], // towards the eye
    centre: ball.centre,
    radius: ball.radius,
    scale: home * zoom,
    ox: width / 2 + dx * side,
    oy: height / 2 + dy * side,
    width,
    height,
  };
}

export function place3d(point, camera) {
  const d = point.map((value, k) => value - camera.centre[k]);
  const dot = (axis) => axis[0] * d[0] + axis[1] * d[1] + axis[2] * d[2];
  return [
    camera.ox + camera.scale * dot(camera.right),
    camera.oy - camera.scale * dot(camera.up),
    dot(camera.near) / camera.radius, // -1 far, 1 near
  ];
}

export function project3d(coordinates, camera, sx, sy, depth) {
  const { right, up, near, scale, ox, oy, centre, radius } = camera;
  for (let i = 0, j = 0, n = sx.length; i < n; i += 1, j += 3) {
    const x = coordinates[j] - centre[0];
    const y = coordinates[j + 1] - centre[1];
    const z = coordinates[j + 2] - centre[2];
    sx[i] = ox + scale * (right[0] * x + right[1] * y);
    sy[i] = oy - scale * (up[0] * x + up[1] * y + up[2] * z);
    depth[i] = (near[0] * x + near[1] * y + near[2] * z) / radius;
  }
}

const TURN = 0.01; // radians a pixel

// The near side follows the pointer.
export function turned3d(view, dx, dy) {
  const { yaw, pitch, ...rest } = view ?? HOME_3D;
  const half = Math.PI / 2;
  return {
    ...rest,
    yaw: yaw - TURN * dx,
    pitch: Math.min(half, Math.max(-half, pitch + TURN * dy)),
  };
}

export function zoomed3d(view, factor, x, y, width, height) {
  const old = view ?? HOME_3D;
  const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, old.zoom * factor));
  const f = zoom / old.zoom;
  const side = Math.min(width, height);
  const moved = (offset, pointer, length) => {
    const middle = length / 2 + offset * side;
    return (pointer + (middle - pointer) * f - length / 2) / side;
  };
  return { ...old, zoom, dx: moved(old.dx, x, width), dy: moved(old.dy, y, height) };
}

export function moved3d(view, dx, dy, width, height) {
  const old = view ?? HOME_3D;
  const side = Math.min(width, height);
  return { ...old, dx: old.dx + dx / side, dy: old.dy + dy / side };
}
