// The map's pure functions, on figures that can be drawn by hand. Run: node --test tests/js
import assert from "node:assert/strict";
import { test } from "node:test";

import * as arrow from "../../embedlab/ui/linked_map/frontend/arrows.js";
import * as cam from "../../embedlab/ui/linked_map/frontend/camera.js";
import * as geo from "../../embedlab/ui/linked_map/frontend/geometry.js";
import { eased, mayGlide, onTheWay } from "../../embedlab/ui/linked_map/frontend/glide.js";
import { unpack } from "../../embedlab/ui/linked_map/frontend/pack.js";
import { rgba, splat, stamps, stroke } from "../../embedlab/ui/linked_map/frontend/splat.js";
import { SYMBOLS } from "../../embedlab/ui/frontend/symbols.js";

const near = (a, b, tolerance = 1e-4) =>
  assert.ok(Math.abs(a - b) < tolerance, `${a} is not ${b}`);
const all = (n) => new Uint8Array(n).fill(1);

// Four corners of a square of side 2 around (1, 1).
const SQUARE = Float32Array.from([0, 0, 2, 0, 2, 2, 0, 2]);
const BOX = { low: [0, 0], high: [2, 2] };

function screen(camera, coordinates) {
  const n = coordinates.length / 2;
  const [sx, sy] = [new Float32Array(n), new Float32Array(n)];
  cam.project2d(coordinates, camera, sx, sy);
  return [sx, sy];
}

test("the extent passes over rows without a place", () => {
  const points = Float32Array.from([1, 5, NaN, -99, 3, 2]);
  assert.deepEqual(cam.extent(points, 2), { low: [1, 2], high: [3, 5] });
  assert.equal(cam.extent(Float32Array.from([NaN, 1]), 2), null);
});

test("at rest a plane stands in the middle, with one scale for both axes and y upwards", () => {
  const [sx, sy] = screen(cam.camera2d(null, BOX, 400, 200), SQUARE);
  near(sx[1] - sx[0], 184); // 0.92 of the shorter side
  near(sy[0] - sy[3], 184);
  near((sx[0] + sx[1]) / 2, 200);
  near((sy[0] + sy[3]) / 2, 100);
  assert.ok(sy[0] > sy[3], "greater y lies higher");
});

test("zoom keeps the place under the pointer, and a view says all about its camera", () => {
  const camera = cam.camera2d(null, BOX, 400, 200);
  const [sx, sy] = screen(camera, SQUARE);
  const view = cam.zoomed2d(camera, 3, sx[2], sy[2]);
  near(view.zoom, 3);
  const [zx, zy] = screen(cam.camera2d(view, BOX, 400, 200), SQUARE);
  near(zx[2], sx[2], 1e-3);
  near(zy[2], sy[2], 1e-3);
  near(zx[2] - zx[3], 3 * 184, 1e-2);
  // The same view on a screen twice as large shows the same, twice as large.
  const [bx] = screen(cam.camera2d(view, BOX, 800, 400), SQUARE);
  near(bx[2], 2 * zx[2], 1e-2);
});

test("zoom has ends", () => {
  let view = null;
  for (let k = 0; k < 60; k += 1) {
    view = cam.zoomed2d(cam.camera2d(view, BOX, 400, 200), 2, 200, 100);
  }
  near(view.zoom, cam.MOST_ZOOM, 1e-2);
});

test("panning moves every point by as much as the pointer", () => {
  const camera = cam.camera2d({ cx: 0.5, cy: 1.5, zoom: 4 }, BOX, 400, 200);
  const [sx, sy] = screen(camera, SQUARE);
  const [px, py] = screen(
    cam.camera2d(cam.panned2d(camera, 30, -12), BOX, 400, 200), SQUARE,
  );
  near(px[0] - sx[0], 30, 1e-2);
  near(py[0] - sy[0], -12, 1e-2);
});

test("the view of some rows holds them and no more than needed", () => {
  const points = Float32Array.from([0, 0, 100, 100, 10, 10, 12, 10]);
  const box = cam.extent(points, 2);
  const view = cam.viewOfRows2d(points, [2, 3], box, 300, 300);
  const [sx, sy] = screen(cam.camera2d(view, box, 300, 300), points);
  near((sx[2] + sx[3]) / 2, 150, 1e-2);
  near(sy[2], 150, 1e-2);
  assert.ok(sx[2] > 0 && sx[3] < 300 && sx[0] < 0);
  assert.equal(cam.viewOfRows2d(Float32Array.from([NaN, NaN]), [0], box, 300, 300), null);
});

test("arrows widen the extent, within reason", () => {
  assert.deepEqual(cam.widened(BOX, [2.4, 1], 2), { low: [0, 0], high: [2.4, 2] });
  near(cam.widened(BOX, [1000, -1000], 2).high[0], 2.6);
});

test("of an arrow the part within the plot is drawn, and it is known whether its tip is there", () => {
  assert.deepEqual(arrow.arrowWithin([10, 10], [30, 10], 100, 50), {
    from: [10, 10], to: [30, 10], whole: true,
  });
  assert.deepEqual(arrow.arrowWithin([10, 10], [190, 10], 100, 50), {
    from: [10, 10], to: [100, 10], whole: false,
  });
  assert.deepEqual(arrow.arrowWithin([-20, 10], [20, 50], 100, 40).from, [0, 30]);
  assert.equal(arrow.arrowWithin([-20, 10], [-1, 50], 100, 40), null);
  assert.equal(arrow.arrowWithin([10, -5], [90, -5], 100, 40), null);
});

// Arrows as a panel gives them, from a start and tips.
function fan(start, tips, half, width, height) {
  return tips.map((tip) => {
    const part = arrow.arrowWithin(start, tip, width, height);
    return part && { ...part, half };
  });
}

function namesClash(places, half, height = 15) {
  return places.some((a, i) => places.some((b, j) =>
    a && b && i < j && Math.abs(a[0] - b[0]) < 2 * half - 0.01 && Math.abs(a[1] - b[1]) < height - 0.01));
}

test("names stand by their arrows, in the plot, none on another", () => {
  const [width, height, half] = [400, 300, 30];
  const tips = [[205, 40], [215, 45], [395, 150], [20, 290], [200, 160], [900, 160]];
  const places = arrow.namePlaces(fan([200, 150], tips, half, width, height), width, height);
  for (const [x, y] of places) {
    assert.ok(x - half >= 0 && x + half <= width && y >= 7.5 && y <= height - 7.5, `${x} ${y}`);
  }
  assert.ok(!namesClash(places, half));
  assert.ok(places[0][1] < 60 && places[1][1] < 60, "near parallel arrows keep their names close");
  for (const [k, tip] of tips.slice(0, 5).entries()) {
    const off = arrow.nearestOfName(places[k], half, tip);
    assert.ok(Math.hypot(off[0] - tip[0], off[1] - tip[1]) < 45);
  }
});

test("where a hundred names have no room, some are left out and none lies on another", () => {
  const tips = Array.from({ length: 100 }, (_, k) => [150 + 3 * Math.cos(k), 150 + 3 * Math.sin(k)]);
  const places = arrow.namePlaces(fan([150, 150], tips, 35, 300, 300), 300, 300);
  const written = places.filter(Boolean);
  assert.ok(written.length > 10 && written.length < 100);
  const clashes = written.filter((a, i) => written.some((b, j) =>
    i !== j && Math.abs(a[0] - b[0]) < 56 && Math.abs(a[1] - b[1]) < 12));
  assert.equal(clashes.length, 0);
});

test("an arrow without a part in the plot has no name there", () => {
  assert.deepEqual(arrow.namePlaces([null, null], 100, 100), [null, null]);
});

test("a space seen from the front has x to the right, z up, and small y near", () => {
  const ball = { centre: [0, 0, 0], radius: 1 };
  const camera = cam.camera3d({ yaw: 0, pitch: 0, zoom: 1, dx: 0, dy: 0 }, ball, 200, 200);
  const [x, y, depth] = cam.place3d([1, 0, 0], camera);
  near(x, 190);
  near(y, 100);
  near(depth, 0);
  near(cam.place3d([0, 0, 1], camera)[1], 10);
  near(cam.place3d([0, -1, 0], camera)[2], 1);
});

test("turning keeps lengths, and the near side follows the pointer", () => {
  const ball = { centre: [1, 2, 3], radius: 2 };
  const before = cam.camera3d(null, ball, 200, 200);
  const view = cam.turned3d(null, 25, 10);
  const after = cam.camera3d(view, ball, 200, 200);
  for (const camera of [before, after]) {
    const [right, up, front] = [camera.right, camera.up, camera.near];
    for (const axis of [right, up, front]) near(Math.hypot(...axis), 1, 1e-9);
    near(right[0] * up[0] + right[1] * up[1] + right[2] * up[2], 0, 1e-9);
    near(right[1] * up[2] - right[2] * up[1], front[0], 1e-9); // right-handed
  }
  const nearest = before.near.map((value, k) => ball.centre[k] + ball.radius * value);
  const [x0, y0] = cam.place3d(nearest, before);
  const [x1, y1] = cam.place3d(nearest, after);
  assert.ok(x1 > x0 + 5 && y1 > y0 + 5);
});

test("one point and many points of a space are projected alike", () => {
  const points = Float32Array.from([1, 2, 3, -1, 0.5, 2]);
  const camera = cam.camera3d(cam.turned3d(null, 70, -30), { centre: [0, 1, 2], radius: 3 }, 300, 200);
  const [sx, sy, depth] = [new Float32Array(2), new Float32Array(2), new Float32Array(2)];
  cam.project3d(points, camera, sx, sy, depth);
  for (const row of [0, 1]) {
    const [x, y, d] = cam.place3d([...points.subarray(3 * row, 3 * row + 3)], camera);
    near(sx[row], x, 1e-3);
    near(sy[row], y, 1e-3);
    near(depth[row], d, 1e-5);
  }
});

test("zooming a space keeps the place under the pointer", () => {
  const ball = { centre: [0, 0, 0], radius: 1 };
  const [x, y] = cam.place3d([0.5, 0.2, 0.4], cam.camera3d(null, ball, 300, 200));
  const view = cam.zoomed3d(null, 2.5, x, y, 300, 200);
  const [zx, zy] = cam.place3d([0.5, 0.2, 0.4], cam.camera3d(view, ball, 300, 200));
  near(zx, x, 1e-6);
  near(zy, y, 1e-6);
});

test("picking gives the nearest shown point within reach", () => {
  const sx = Float32Array.from([10, 20, 21, NaN]);
  const sy = Float32Array.from([10, 10, 10, 10]);
  assert.equal(geo.pick(sx, sy, all(4), 20.2, 10, 8), 1);
  assert.equal(geo.pick(sx, sy, Uint8Array.from([1, 0, 1, 1]), 20.2, 10, 8), 2);
  assert.equal(geo.pick(sx, sy, all(4), 50, 50, 8), -1);
  assert.equal(geo.pick(sx, sy, all(4), 15, 10, 5), 1); // ties go to the later, drawn above
});

test("of discs under the pointer a space gives the one in front", () => {
  const sx = Float32Array.from([10, 11, 14]);
  const sy = Float32Array.from([10, 10, 10]);
  const depth = Float32Array.from([-0.5, 0.7, 0.9]);
  assert.equal(geo.pick(sx, sy, all(3), 10, 10, 9, depth, 3), 1); // 2 is nearer the eye, but beside
  assert.equal(geo.pick(sx, sy, all(3), 14, 10, 9, depth, 3), 2);
  assert.equal(geo.pick(sx, sy, all(3), 19, 10, 9, depth, 3), 2);
});

test("arrow keys lead to the point that lies that way", () => {
  //      1
  //  3   0   2        4 lies right, farther away than 2
  const sx = Float32Array.from([50, 50, 80, 20, 120]);
  const sy = Float32Array.from([50, 20, 55, 50, 50]);
  assert.equal(geo.towards(sx, sy, all(5), 0, 0, -1), 1);
  assert.equal(geo.towards(sx, sy, all(5), 0, 1, 0), 2);
  assert.equal(geo.towards(sx, sy, all(5), 0, -1, 0), 3);
  assert.equal(geo.towards(sx, sy, all(5), 2, 1, 0), 4);
  assert.equal(geo.towards(sx, sy, all(5), 0, 0, 1), -1);
});

test("inside an outline with a bay", () => {
  const letter = [0, 0, 30, 0, 30, 30, 20, 30, 20, 10, 10, 10, 10, 30, 0, 30]; // a U, upside down
  assert.ok(geo.inside(5, 20, letter));
  assert.ok(!geo.inside(15, 20, letter));
  assert.ok(geo.inside(15, 5, letter));
  assert.ok(!geo.inside(-1, 5, letter));
});

test("lasso and box take the shown points within", () => {
  const sx = Float32Array.from([5, 15, 15, 50, NaN]);
  const sy = Float32Array.from([20, 20, 5, 50, NaN]);
  const letter = [0, 0, 30, 0, 30, 30, 20, 30, 20, 10, 10, 10, 10, 30, 0, 30];
  assert.deepEqual(geo.lassoed(sx, sy, all(5), letter), [0, 2]);
  assert.deepEqual(geo.lassoed(sx, sy, Uint8Array.from([0, 1, 1, 1, 1]), letter), [2]);
  assert.deepEqual(geo.boxed(sx, sy, all(5), 20, 25, 0, 10), [0, 1]); // pulled up and to the left
});

test("a lasso agrees with a circle that it follows", () => {
  const outline = [];
  for (let k = 0; k < 200; k += 1) {
    outline.push(100 + 40 * Math.cos(k * 0.0314159), 90 + 40 * Math.sin(k * 0.0314159));
  }
  const [sx, sy] = [new Float32Array(2000), new Float32Array(2000)];
  for (let k = 0; k < 2000; k += 1) [sx[k], sy[k]] = [(k * 37) % 200, (k * 91) % 187];
  const found = new Set(geo.lassoed(sx, sy, all(2000), outline));
  for (let k = 0; k < 2000; k += 1) {
    const apart = Math.hypot(sx[k] - 100, sy[k] - 90);
    if (Math.abs(apart - 40) > 0.1) assert.equal(found.has(k), apart < 40, `row ${k}`);
  }
});

test("the mixed order holds every row once", () => {
  for (const n of [0, 1, 2, 3, 4, 10, 750, 1001]) {
    assert.deepEqual([...geo.mixedOrder(n)].sort((a, b) => a - b), [...Array(n).keys()]);
  }
  assert.notDeepEqual([...geo.mixedOrder(10)], [...Array(10).keys()]);
});

test("far comes before near", () => {
  const depth = Float32Array.from([0.9, -0.9, 0.1, 5, -5]);
  assert.deepEqual([...geo.farToNear(depth, [0, 1, 2])], [1, 2, 0]);
  assert.equal(geo.farToNear(depth, [3, 4, 0]).length, 3); // beyond the sphere is no crash
});

test("pictures keep their distance, the first in order has its place", () => {
  const sx = Float32Array.from([50, 52, 100, 500]);
  const sy = Float32Array.from([50, 50, 50, 50]);
  const rows = geo.spreadOut(sx, sy, all(4), [1, 0, 2, 3], 200, 100, 40, 10);
  assert.deepEqual(rows, [1, 2]); // 0 is covered by 1, 3 is outside
  assert.deepEqual(geo.spreadOut(sx, sy, all(4), [0, 1, 2], 200, 100, 40, 1), [0]);
});

test("ticks are round and within", () => {
  assert.deepEqual(geo.ticks(0, 10, 5).values, [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(geo.ticks(-1.2, 1.3, 5).values.map((v) => geo.tickText(v, 1)), [
    "−1.0", "−0.5", "0.0", "0.5", "1.0",
  ]);
  assert.equal(geo.ticks(0.001, 0.0042, 4).decimals, 3);
  assert.deepEqual(geo.ticks(3, 3, 5).values, []);
  assert.equal(geo.tickText(-1e-9, 2), "0.00");
  assert.equal(geo.tickText(12345678, 0), "1.2e+7");
  assert.deepEqual([-5e-12, 0, 5e-12].map((v) => geo.tickText(v, 12)), ["−5.0e−12", "0", "5.0e−12"]);
});

test("bits there and back", () => {
  const mask = Uint8Array.from({ length: 20 }, (_, k) => (k % 3 === 0 ? 1 : 0));
  assert.equal(geo.maskToBits(Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 1])), btoa("\x01\x01"));
  assert.deepEqual(geo.bitsToMask(geo.maskToBits(mask), 20), mask);
  assert.deepEqual(geo.bitsToMask("", 3), new Uint8Array(3));
});

test("a piece from Python is taken apart", () => {
  // pack({"a": float32 [1, -2], "b": uint8 [7]}, name="é"), written down by test_linked_map.py
  const hex = process.env.EMBEDLAB_PACKED;
  if (!hex) return;
  const bytes = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const { arrays, name } = unpack(bytes.buffer);
  assert.deepEqual([...arrays.a], [1, -2]);
  assert.deepEqual([...arrays.b], [7]);
  assert.equal(name, "é");
});

// ---- points in an image ------------------------------------------------------------------------

const WHITE = rgba([255, 255, 255]);
const RED = [200, 30, 10];

function drawn(symbol, radius, x, y, size = 24) {
  const image = { width: size, height: size, pixels: new Uint32Array(size * size).fill(WHITE) };
  const shapes = [stamps(symbol, SYMBOLS[symbol], radius, 0)];
  splat(
    image, Float32Array.from([x]), Float32Array.from([y]), [0], 1, Uint16Array.from([0]),
    Uint32Array.from([rgba(RED)]), shapes, [255, 255, 255],
  );
  return image;
}

// How much of a pixel is covered, from its green channel.
const cover = (pixel) => (255 - ((pixel >>> 8) & 255)) / (255 - RED[1]);

test("a disc covers its area, around its place", () => {
  for (const [x, y] of [[12, 12], [12.25, 11.5], [11.75, 12.75]]) {
    const { pixels } = drawn("circle", 5, x, y);
    let [area, cx, cy] = [0, 0, 0];
    pixels.forEach((pixel, k) => {
      area += cover(pixel);
      cx += cover(pixel) * (k % 24);
      cy += cover(pixel) * Math.floor(k / 24);
    });
    near(area, Math.PI * 25, 2.5);
    near(cx / area, x, 0.1);
    near(cy / area, y, 0.1);
  }
});

test("all symbols cover about the area of the disc", () => {
  const area = (name) => drawn(name, 6, 16, 16, 32).pixels.reduce((sum, p) => sum + cover(p), 0);
  for (const name of Object.keys(SYMBOLS)) {
    const share = area(name) / (Math.PI * 36);
    assert.ok(share > 0.75 && share < 1.25, `${name}: ${share}`);
  }
});

test("symbols beyond the edge are cut off, not wrapped around", () => {
  const { pixels } = drawn("square", 5, 0, 12);
  for (let y = 0; y < 24; y += 1) assert.equal(pixels[y * 24 + 23], WHITE);
  assert.ok(cover(pixels[12 * 24]) > 0.9);
  assert.ok(drawn("circle", 5, NaN, 3).pixels.every((pixel) => pixel === WHITE));
});

test("rows are drawn in order, the last on top", () => {
  const image = { width: 9, height: 9, pixels: new Uint32Array(81).fill(WHITE) };
  const place = Float32Array.from([4, 4]);
  const shapes = ["circle", "square"].map((name) => stamps(name, SYMBOLS[name], 3, 0));
  const colours = Uint32Array.from([rgba([1, 2, 3]), rgba([4, 5, 6])]);
  const codes = Uint16Array.from([0, 1]);
  splat(image, place, place, [1, 0], 1, codes, colours, shapes, [0, 0, 0]);
  assert.equal(image.pixels[40], rgba([1, 2, 3]));
});

test("a stroke goes from end to end, whatever its slope, and stays in the image", () => {
  const image = { width: 20, height: 20, pixels: new Uint32Array(400).fill(WHITE) };
  const dark = (x, y) => cover(image.pixels[y * 20 + x]);
  stroke(image, [2, 3], [12, 8], RED);
  near(dark(2, 3), 1);
  near(dark(12, 8), 1);
  near(dark(7, 5) + dark(7, 6), 1, 0.02);
  stroke(image, [5, 15], [5, -30], RED);
  near(dark(5, 0), 1);
  assert.equal(image.pixels[19 * 20 + 5], WHITE);
});

test("points glide from where they were; those without a place then are there at once", () => {
  const from = Float32Array.from([0, 0, 2, NaN]);
  const to = Float32Array.from([4, -4, 2, 8]);
  assert.deepEqual([...onTheWay(from, to, 0, [])], [0, 0, 2, 8]);
  assert.deepEqual([...onTheWay(from, to, 0.25, [])], [1, -1, 2, 8]);
  assert.deepEqual([...onTheWay(from, to, 1, [])], [4, -4, 2, 8]);
  assert.deepEqual([eased(0), eased(0.5), eased(1)], [0, 0.5, 1]);
});

test("only the same pictures in the plane glide", () => {
  const panel = { coordinates: SQUARE, dims: 2, box: BOX, token: "a" };
  assert.ok(mayGlide(panel, { ...panel }));
  for (const other of [{ token: "b" }, { dims: 3 }, { box: null }, { coordinates: all(6) }]) {
    assert.ok(!mayGlide({ ...panel, ...other }, panel));
  }
});
