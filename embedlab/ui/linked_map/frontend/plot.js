// What of a panel is drawn, and where: extents, rows in order, layout, projection.

import {
  camera2d, camera3d, extent, place3d, placed, project2d, project3d, sphere, widened,
} from "./camera.js";
import { pointRadius } from "./geometry.js";

export function measure(panel) {
  const box = extent(panel.coordinates, panel.dims);
  panel.box = box && widened(box, panel.arrows?.vectors ?? [], panel.dims);
  panel.ball = box && panel.dims === 3 ? sphere(panel.box) : null;
  panel.n = panel.coordinates.length / panel.dims;
  panel.sx = new Float32Array(panel.n);
  panel.sy = new Float32Array(panel.n);
  panel.depth = panel.dims === 3 ? new Float32Array(panel.n) : null;
}

// Which rows are drawn, and in what order.
export function sortRows(panel, state) {
  const shown = new Uint8Array(panel.n);
  let drawn = 0;
  for (let row = 0; row < panel.n; row += 1) {
    if (state.off[state.codes[row]] || (state.visible && !state.visible[row])) continue;
    if (!placed(panel.coordinates, panel.dims, row)) continue;
    shown[row] = 1;
    drawn += 1;
  }
  const joined = new Set(state.lines);
  const [chosen, ends] = [[], []];
  const rest = new Uint32Array(drawn);
  let k = 0;
  for (const row of state.order) {
    if (!shown[row]) continue;
    if (state.selected[row]) chosen.push(row);
    else if (joined.has(row)) ends.push(row);
    else {
      rest[k] = row;
      k += 1;
    }
  }
  panel.shown = shown;
  panel.rest = rest.subarray(0, k);
  panel.ends = Uint32Array.from(ends); // of lines
  panel.chosen = Uint32Array.from(chosen);
  panel.radius = pointRadius(drawn);
}

// The plot's place within the canvas.
export function layOut(panel, width, height) {
  const named = panel.axes.length > 0;
  const margin = { left: 6, right: 6, top: 6, bottom: 6 };
  if (panel.dims === 2 && (panel.ticks || named)) {
    margin.left = (named ? 18 : 4) + (panel.ticks ? 28 : 0);
    margin.bottom = (named ? 18 : 4) + (panel.ticks ? 16 : 0);
  }
  panel.left = margin.left;
  panel.top = margin.top;
  panel.width = Math.max(1, width - margin.left - margin.right);
  panel.height = Math.max(1, height - margin.top - margin.bottom);
}

export function aim(panel) {
  if (panel.dims === 2) {
    panel.camera = camera2d(panel.view, panel.box, panel.width, panel.height);
    project2d(panel.coordinates, panel.camera, panel.sx, panel.sy);
  } else {
    panel.camera = camera3d(panel.view, panel.ball, panel.width, panel.height);
    project3d(panel.coordinates, panel.camera, panel.sx, panel.sy, panel.depth);
  }
}

// Where a place in the panel's coordinates lies in the plot.
export function onScreen(panel, point) {
  const { camera } = panel;
  if (panel.dims === 3) return place3d(point, camera);
  return [camera.ox + camera.scale * point[0], camera.oy - camera.scale * point[1]];
}
