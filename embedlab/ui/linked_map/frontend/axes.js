// Axes: the grid and numbers of a plane, the box of a space.

import { clamped, tickText, ticks } from "./geometry.js";
import { onScreen } from "./plot.js";
import { line, rgba, stroke } from "./splat.js";

export function drawGrid(panel, image, ratio, theme) {
  const { camera } = panel;
  const x = ticks(
    -camera.ox / camera.scale, (panel.width - camera.ox) / camera.scale, panel.width / 75,
  );
  const y = ticks(
    (camera.oy - panel.height) / camera.scale, camera.oy / camera.scale, panel.height / 60,
  );
  if (!panel.ticks) return { x: { ...x, values: [] }, y: { ...y, values: [] } };
  const thick = Math.max(1, Math.round(ratio));
  const rule = (at, across, zero) => {
    for (let k = 0; k < thick; k += 1) {
      line(image, Math.round(at * ratio) + k, across, rgba(zero ? theme.zero : theme.grid));
    }
  };
  for (const value of x.values) rule(camera.ox + camera.scale * value, false, value === 0);
  for (const value of y.values) rule(camera.oy - camera.scale * value, true, value === 0);
  return { x, y };
}

export function tickLabels(panel, context, { x, y }, theme) {
  const { camera, left, top, width, height, axes } = panel;
  context.font = `11px ${theme.font}`;
  context.fillStyle = theme.quiet;
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const value of x.values) {
    const at = Math.min(width - 8, Math.max(8, camera.ox + camera.scale * value));
    context.fillText(tickText(value, x.decimals), left + at, top + height + 4);
  }
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const value of y.values) {
    const at = Math.min(height - 6, Math.max(6, camera.oy - camera.scale * value));
    context.fillText(tickText(value, y.decimals), left - 5, top + at);
  }
  if (!axes.length) return;
  context.fillStyle = theme.text;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(axes[0], left + width / 2, panel.outer.height - 4, width);
  context.save();
  context.translate(11, top + height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(axes[1], 0, 0, height);
  context.restore();
}

function edgesOfBox(box) {
  const corner = (k) => [0, 1, 2].map((axis) => ((k >> axis) & 1 ? box.high[axis] : box.low[axis]));
  const edges = [];
  for (let k = 0; k < 8; k += 1) {
    for (let axis = 0; axis < 3; axis += 1) {
      if (!((k >> axis) & 1)) edges.push({ axis, from: corner(k), to: corner(k | (1 << axis)) });
    }
  }
  return edges;
}

function edgesOnScreen(panel) {
  return edgesOfBox(panel.box).map((edge) => {
    const [a, b] = [onScreen(panel, edge.from), onScreen(panel, edge.to)];
    return { ...edge, a, b, half: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  });
}

// The box lies behind all points, as the walls of a room do.
export function drawBox(panel, image, ratio, theme) {
  for (const { a, b } of edgesOnScreen(panel)) {
    const [from, to] = [a, b].map(([x, y]) => [x * ratio, y * ratio]);
    for (let k = 0; k < Math.round(ratio); k += 1) {
      stroke(image, [from[0] + k, from[1]], [to[0] + k, to[1]], theme.wall);
    }
  }
}

export function boxLabels(panel, context, theme) {
  const middle = onScreen(panel, panel.ball.centre);
  const edges = edgesOnScreen(panel);
  context.font = `11px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let axis = 0; axis < 3; axis += 1) {
    const edge = outermost(edges.filter((candidate) => candidate.axis === axis), middle);
    if (edge.length < 40) continue;
    const at = (share, off) => [
      edge.a[0] + (edge.b[0] - edge.a[0]) * share + edge.out[0] * off,
      edge.a[1] + (edge.b[1] - edge.a[1]) * share + edge.out[1] * off,
    ];
    if (panel.ticks) {
      const [low, high] = [panel.box.low[axis], panel.box.high[axis]];
      const { values, decimals } = ticks(low, high, edge.length / 42);
      context.fillStyle = theme.quiet;
      for (const value of values) {
        context.fillText(tickText(value, decimals), ...at((value - low) / (high - low || 1), 13));
      }
    }
    if (panel.axes.length) {
      context.fillStyle = theme.text;
      const [x, y] = at(0.5, panel.ticks ? 31 : 15);
      const half = context.measureText(panel.axes[axis]).width / 2;
      // Beside an edge that stands at the border, a name would run out of the picture.
      haloText(context, panel.axes[axis], clamped(x, half + 2, panel.outer.width - half - 2), y, theme);
    }
  }
}

// Of four parallel edges the one on the outside of the picture; of the two there, below or left.
// `out` points away from the middle, at right angles to the edge.
function outermost(edges, middle) {
  const found = edges.map((edge) => {
    const along = [edge.b[0] - edge.a[0], edge.b[1] - edge.a[1]];
    const length = Math.hypot(...along) || 1e-6;
    const across = [-along[1] / length, along[0] / length];
    const apart =
      (edge.half[0] - middle[0]) * across[0] + (edge.half[1] - middle[1]) * across[1];
    const out = across.map((value) => value * Math.sign(apart || 1));
    return { ...edge, length, out, rank: Math.round(Math.abs(apart)) * 1e4 + edge.half[1] - edge.half[0] };
  });
  return found.reduce((best, next) => (next.rank > best.rank ? next : best));
}

export function haloText(context, text, x, y, theme) {
  context.lineWidth = 3.5;
  context.lineJoin = "round";
  context.strokeStyle = theme.halo;
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}
