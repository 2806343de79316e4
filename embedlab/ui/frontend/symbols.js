// The shapes that stand beside colours. Each is a list of corners around (0, 0), drawn so that
// all shapes cover about the area of a disc of radius 1; the disc itself has no corners.

function polygon(corners, radius, turn) {
  return Array.from({ length: corners }, (_, k) => {
    const angle = turn + (2 * Math.PI * k) / corners;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function star(points, outer, inner) {
  return Array.from({ length: 2 * points }, (_, k) => {
    const angle = -Math.PI / 2 + (Math.PI * k) / points;
    const radius = k % 2 ? inner : outer;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function plus(reach, half) {
  return [
    [-half, -reach], [half, -reach], [half, -half], [reach, -half], [reach, half], [half, half],
    [half, reach], [-half, reach], [-half, half], [-reach, half], [-reach, -half], [-half, -half],
  ];
}

function turned(corners, angle) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return corners.map(([x, y]) => [c * x - s * y, s * x + c * y]);
}

const UP = -Math.PI / 2;

export const SYMBOLS = {
  circle: null,
  square: polygon(4, 1.26, Math.PI / 4),
  diamond: polygon(4, 1.32, 0),
  "triangle-up": polygon(3, 1.42, UP),
  "triangle-down": polygon(3, 1.42, -UP),
  cross: plus(1.2, 0.44),
  x: turned(plus(1.2, 0.44), Math.PI / 4),
  star: star(5, 1.5, 0.66),
  pentagon: polygon(5, 1.15, UP),
  hexagon: polygon(6, 1.1, 0),
  "triangle-left": polygon(3, 1.42, Math.PI),
  "triangle-right": polygon(3, 1.42, 0),
};

const SVG = "http://www.w3.org/2000/svg";

// A small drawing of one symbol in one colour, for legends and captions.
export function symbolIcon(name, colour, size = 12) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-1.5 -1.5 3 3");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  const corners = SYMBOLS[name];
  const shape = document.createElementNS(SVG, corners ? "polygon" : "circle");
  if (corners) shape.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
  else shape.setAttribute("r", "1.15");
  shape.setAttribute("fill", colour);
  svg.append(shape);
  return svg;
}
