/* Typed columns from the server: a JSON header, then arrays that need no parsing (searches/api/binary.py has the layout). */
import { request } from "./api.js";

const KINDS = {
  Float64: Float64Array,
  Float32: Float32Array,
  Uint32: Uint32Array,
  Int32: Int32Array,
  Uint8: Uint8Array,
};

/** `{header, ...arrays by name}`; the arrays are views into the answer, not copies. */
function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const found = { header };
  for (const [name, kind, offset, size] of header.arrays)
    found[name] = new KINDS[kind](buffer, 4 + length + offset, size);
  return found;
}

export async function columns(path, options = {}) {
  const response = await request(path, { ...options, accept: "*/*" });
  return unpack(await response.arrayBuffer());
}
