/* columns.json holds bytes that the server's packing produces, and tests/searches/test_binary.py keeps them so. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { unpack } from "../../static/js/core/binary.js";

const known = JSON.parse(readFileSync(new URL("columns.json", import.meta.url), "utf8"));

function buffer() {
  const bytes = Buffer.from(known.bytes, "hex");
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

test("the header and every array come out as the server packed them", () => {
  const { header, ...arrays } = unpack(buffer());
  const { arrays: listed, ...rest } = header;
  assert.deepEqual(rest, known.header);
  assert.deepEqual(
    listed.map(([name]) => name),
    Object.keys(known.arrays),
  );
  for (const [name, [kind, values]] of Object.entries(known.arrays)) {
    assert.equal(arrays[name].constructor.name, `${kind}Array`);
    assert.deepEqual([...arrays[name]], values);
  }
});

test("the arrays are views into the answer, not copies", () => {
  const answer = buffer();
  const { costs, empty } = unpack(answer);
  assert.equal(costs.buffer, answer);
  assert.equal(empty.length, 0);
});

test("an array that is cut off is an error, not a shorter array", () => {
  assert.throws(() => unpack(buffer().slice(0, -8)), RangeError);
});
