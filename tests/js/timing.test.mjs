// The film player's pure functions, on films that can be drawn by hand.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  approach, arrive, between, boxesOf, carriedOver, pace, steadyBoxes, valuesAt,
} from "../../embedlab/ui/film_player/frontend/timing.js";

test("a position lies between two moments, and halfway is halfway", () => {
  assert.deepEqual(between(0, 3), { from: 0, to: 1, share: 0 });
  assert.deepEqual(between(1.5, 3), { from: 1, to: 2, share: 0.5 });
  assert.deepEqual(between(2, 3), { from: 2, to: 2, share: 0 });
  assert.deepEqual(between(7, 3), { from: 2, to: 2, share: 1 });
  assert.ok(between(0.1, 2).share < 0.1 && between(0.9, 2).share > 0.9, "it begins gently");
});

test("values at a moment are that moment's, and go over into the next", () => {
  const frames = Float32Array.from([0, 10, 4, 20, 8, 40]);
  const out = new Float32Array(2);
  assert.deepEqual([...valuesAt(frames, 2, 1, out)], [4, 20]);
  assert.deepEqual([...valuesAt(frames, 2, 1.5, out)], [6, 30]);
  assert.deepEqual([...valuesAt(frames, 2, 2, out)], [8, 40]);
});

test("boxes hold a moment's points, and arrows only so far", () => {
  const points = Float32Array.from([0, 0, 10, 5, 1, 1, 2, 2]); // two moments of two points
  const tips = Float32Array.from([100, 6, 1.5, 1.5]); // an arrow a moment
  assert.deepEqual([...boxesOf(points, 2, tips, 1)], [0, 0, 13, 6, 1, 1, 2, 2]);
  assert.deepEqual([...boxesOf(points, 2, new Float32Array(0), 0)], [0, 0, 10, 5, 1, 1, 2, 2]);
});

test("a steady frame gives way to a moment that needs more room, and to no other", () => {
  const moments = [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 2, 1], [-9, 0, 2, 50], [0, 0, 2, 2]];
  const boxes = steadyBoxes(Float32Array.from(moments.flat()));
  const box = (t) => [...boxes.slice(4 * t, 4 * t + 4)];
  assert.deepEqual(box(0), [0, 0, 2, 2]);
  assert.deepEqual(box(4), [0, 0, 2, 2]);
  assert.deepEqual(box(3), [-9, 0, 2, 50]);
});

test("a film that grew, or was thinned out, goes on from the same instant", () => {
  assert.equal(carriedOver(2, [0, 10, 20], [0, 10, 20, 30]), 2);
  assert.equal(carriedOver(1.5, [0, 10, 20], [0, 10, 20, 30]), 1.5);
  assert.equal(carriedOver(3, [0, 10, 20, 30], [0, 20, 30, 40]), 2);
  assert.equal(carriedOver(1, [0, 10, 20], [0, 20, 40]), 0.5);
  assert.equal(carriedOver(2, [0, 10, 20], [0]), 0);
  assert.equal(carriedOver(2, [0, 10, 20], [0, 5]), 1);
});

test("a film that follows begins at the newest moment and goes on to later ones", () => {
  const fresh = { steps: null, position: 0, target: 0, playing: false, held: false };
  const begun = arrive(fresh, [0, 10, 20], true);
  assert.deepEqual(begun, { position: 2, target: 2, span: 0, playing: false });
  const film = { ...fresh, ...begun, steps: [0, 10, 20] };
  const grown = arrive(film, [0, 10, 20, 30], true);
  assert.deepEqual(grown, { position: 2, target: 2, span: 0, playing: true });
  const held = { ...film, position: 2, target: 1, held: true };
  assert.deepEqual(
    arrive(held, [0, 10, 20, 30], true), { position: 2, target: 1, span: 1, playing: false },
  );
  assert.equal(arrive({ ...held, position: 1 }, [0, 20, 30], true).target, 1, "10 went away");
});

test("a film that does not follow begins at the start and stays where it is", () => {
  const fresh = { steps: null, position: 0, target: 0, playing: false, held: false };
  assert.deepEqual(arrive(fresh, [0, 10], false), { position: 0, target: 0, span: 0, playing: false });
  const film = { ...fresh, steps: [0, 10], position: 1, target: 1 };
  assert.equal(arrive(film, [0, 10, 20], false).position, 1);
  assert.equal(arrive({ ...film, playing: true, position: 0.5 }, [0, 10, 20], false).playing, true);
});

test("no number is ever lost on the way", () => {
  const kinds = [[0], [0, 5], [0, 5, 10, 15]];
  for (const follow of [true, false]) {
    for (const held of [true, false]) {
      let film = { steps: null, position: 0, target: 0, playing: false, held };
      for (const steps of kinds) {
        film = { ...film, ...arrive(film, steps, follow), steps };
        for (let k = 0; k < 9; k += 1) {
          film.position = approach(film.position, film.target, 16, film.span);
          assert.ok(film.position >= 0 && film.position < steps.length);
        }
      }
    }
  }
});

test("a film arrives, and takes seconds", () => {
  let position = 0;
  for (let k = 0; k < 60; k += 1) position = approach(position, 5, 16, 5);
  assert.equal(position, 5);
  assert.equal(approach(1, 0, 1000, 1), 0);
  assert.equal(pace(2), 900);
  assert.ok(pace(30) * 29 <= 12001 && pace(30) * 29 > 4000);
});
