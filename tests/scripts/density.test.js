import assert from "node:assert/strict";
import { test } from "node:test";

import { cellAt, cellRange, cellsFor, densitySeries, picture, share, value } from "../../static/js/search/density.js";

const LINEAR = [false, false];
const GRID = [4, 2]; // columns and rows
const VIEW = [0, 8, 10, 20]; // x from 0 to 8, y from 10 to 20

/** The part of a canvas that the picture uses; it lists what was filled. */
class Canvas {
  filled = [];
  context = {
    fillRect: (...rect) => this.filled.push({ rect, alpha: this.context.globalAlpha, colour: this.context.fillStyle }),
  };

  getContext() {
    return this.context;
  }
}

function painted(index, counts, ratio) {
  globalThis.window = { devicePixelRatio: ratio };
  return picture(GRID, index, counts, "blue", new Canvas());
}

test("cells are six pixels across, and never fewer than eight", () => {
  assert.deepEqual(cellsFor(600, 301), [100, 50]);
  assert.deepEqual(cellsFor(10, 0), [8, 8]);
});

test("cells are numbered row by row from below", () => {
  assert.deepEqual(cellRange(GRID, VIEW, LINEAR, 0), [0, 2, 10, 15]);
  assert.deepEqual(cellRange(GRID, VIEW, LINEAR, 3), [6, 8, 10, 15]);
  assert.deepEqual(cellRange(GRID, VIEW, LINEAR, 4), [0, 2, 15, 20]);
});

test("the cell under a position has its count and its ends", () => {
  const index = Uint32Array.of(1, 6);
  const counts = Uint32Array.of(3, 9);
  assert.deepEqual(cellAt(GRID, VIEW, LINEAR, index, counts, [2.5, 12]), { count: 3, range: [2, 4, 10, 15] });
  assert.deepEqual(cellAt(GRID, VIEW, LINEAR, index, counts, [5.9, 19]), { count: 9, range: [4, 6, 15, 20] });
  assert.equal(cellAt(GRID, VIEW, LINEAR, index, counts, [0.5, 12]), null, "an empty cell");
  for (const outside of [
    [-0.1, 12],
    [8, 12],
    [1, 9.9],
    [1, 20],
  ])
    assert.equal(cellAt(GRID, VIEW, LINEAR, Uint32Array.of(0, 3, 4), Uint32Array.of(1, 1, 1), outside), null);
});

test("a logarithmic axis cuts decades, not differences", () => {
  const [low, high] = cellRange([2, 1], [1, 100, 0, 1], [true, false], 1);
  assert.ok(Math.abs(low - 10) < 1e-9);
  assert.ok(Math.abs(high - 100) < 1e-9);
  const found = cellAt([2, 1], [1, 100, 0, 1], [true, false], Uint32Array.of(0), Uint32Array.of(5), [9, 0.5]);
  assert.equal(found.count, 5);
});

test("share and value are each other's inverse", () => {
  assert.equal(share(15, 10, 20, false), 0.5);
  assert.equal(value(0.5, 10, 20, false), 15);
  assert.ok(Math.abs(share(10, 1, 100, true) - 0.5) < 1e-12);
  for (const log of [false, true]) assert.ok(Math.abs(value(share(3, 2, 7, log), 2, 7, log) - 3) < 1e-12);
});

test("the picture fills the counted cells, the lowest row at the bottom, the fullest in full colour", () => {
  const canvas = painted([0, 7], [1, 50], 1);
  assert.deepEqual([canvas.width, canvas.height], [24, 12]);
  const [first, second] = canvas.filled;
  assert.deepEqual(first.rect, [0, 6, 5, 5]);
  assert.deepEqual(second.rect, [18, 0, 5, 5]);
  assert.equal(second.alpha, 1);
  assert.ok(first.alpha > 0.22 && first.alpha < 0.5);
  assert.equal(second.colour, "blue");
});

test("the picture is as fine as the screen, up to twice", () => {
  assert.equal(painted([0], [1], 2).width, 48);
  assert.equal(painted([0], [1], 3).width, 48);
});

test("the series lays the picture over the whole view", () => {
  const series = densitySeries("Counted", "image", VIEW);
  const api = { coord: ([x, y]) => [10 * x, 200 - 10 * y] };
  assert.deepEqual(series.renderItem(null, api).style, { image: "image", x: 0, y: 0, width: 80, height: 100 });
});
