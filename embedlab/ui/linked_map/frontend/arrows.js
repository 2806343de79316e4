// Where arrows end and where their names stand, as pure functions of places on the screen: CSS
// pixels inside the plot.

import { clamped } from "./geometry.js";

const LINE = 15; // height of a name
const EDGE = 2; // what a name keeps from the frame
const DISTANCES = [3, 9, 17, 27, 40, 56, 76, 100];
const HIDING = 20; // a square pixel of another name, and a pixel of an arrow, in pixels of distance
const CROSSING = 1.5;
const TURNS = [0, 25, -25, 50, -50, 80, -80, 115, -115, 150, -150, 180];

// The part of an arrow that lies in the plot, and whether its tip does; null when none of it does.
// J.-D. Liang, B. A. Barsky, "A new concept and method for line clipping" (1984).
export function arrowWithin([x0, y0], [x1, y1], width, height) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let [enters, leaves] = [0, 1];
  for (const [step, room] of [[-dx, x0], [dx, width - x0], [-dy, y0], [dy, height - y0]]) {
    if (step === 0) {
      if (room < 0) return null;
    } else if (step < 0) enters = Math.max(enters, room / step);
    else leaves = Math.min(leaves, room / step);
  }
  if (enters > leaves) return null;
  const at = (share) => [x0 + share * dx, y0 + share * dy];
  return { from: at(enters), to: at(leaves), whole: leaves === 1 };
}

// Where the middle of each name stands: near the end of its arrow, inside the plot, and on neither
// another name nor an arrow where that can be avoided. An arrow is { from, to, half } with half the
// width of its name, or null. A name that would lie on another all the same has no place.
export function namePlaces(arrows, width, height) {
  const length = (arrow) => (arrow ? Math.hypot(...arrow.to.map((x, k) => x - arrow.from[k])) : 0);
  const order = arrows.map((_, k) => k).sort((a, b) => length(arrows[b]) - length(arrows[a]));
  const places = new Array(arrows.length).fill(null);
  const boxes = [];
  for (const k of order) {
    const arrow = arrows[k];
    if (!arrow) continue;
    let best = null;
    for (const spot of spots(arrow, width, height)) {
      const hidden = boxes.reduce((sum, other) => sum + shared(spot.box, other), 0);
      if (best && spot.cost + HIDING * hidden > best.cost) continue;
      const crossed = arrows.reduce((sum, other) => sum + (other ? crossing(spot.box, other) : 0), 0);
      const cost = spot.cost + HIDING * hidden + CROSSING * crossed;
      if (!best || cost < best.cost) best = { ...spot, cost, hidden };
    }
    if (best.hidden > 0) continue;
    places[k] = best.at;
    boxes.push(best.box);
  }
  return places;
}

function* spots({ from, to, half }, width, height) {
  const ahead = Math.atan2(to[1] - from[1], to[0] - from[0]);
  for (const turn of TURNS) {
    const angle = ahead + (turn * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    // As far as the name's box reaches that way.
    const reach = Math.min(half / (Math.abs(cos) || 1e-9), LINE / 2 / (Math.abs(sin) || 1e-9));
    for (const distance of DISTANCES) {
      const wanted = [to[0] + cos * (reach + distance), to[1] + sin * (reach + distance)];
      const at = [
        clamped(wanted[0], half + EDGE, width - half - EDGE),
        clamped(wanted[1], LINE / 2 + EDGE, height - LINE / 2 - EDGE),
      ];
      const moved = Math.hypot(at[0] - wanted[0], at[1] - wanted[1]);
      const box = [at[0] - half, at[1] - LINE / 2, at[0] + half, at[1] + LINE / 2];
      yield { at, box, cost: distance + moved + 0.1 * Math.abs(turn) };
    }
  }
}

// The area that two boxes share.
function shared([ax, ay, bx, by], [cx, cy, dx, dy]) {
  return (
    Math.max(0, Math.min(bx, dx) - Math.max(ax, cx)) *
    Math.max(0, Math.min(by, dy) - Math.max(ay, cy))
  );
}

// How much of an arrow lies in a box.
function crossing([left, top, right, bottom], { from, to }) {
  const part = arrowWithin(
    [from[0] - left, from[1] - top], [to[0] - left, to[1] - top], right - left, bottom - top,
  );
  return part ? Math.hypot(part.to[0] - part.from[0], part.to[1] - part.from[1]) : 0;
}

// The place in a name's box that is nearest to the end of its arrow.
export function nearestOfName([x, y], half, [tipX, tipY]) {
  return [clamped(tipX, x - half, x + half), clamped(tipY, y - LINE / 2, y + LINE / 2)];
}
