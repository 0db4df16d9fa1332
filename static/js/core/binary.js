/* Typed columns: a JSON header, then arrays that need no parsing. searches/api/binary.py states the layout. */

const KINDS = {
  Float64: Float64Array,
  Float32: Float32Array,
  Uint32: Uint32Array,
  Int32: Int32Array,
  Uint8: Uint8Array,
};

/** `{header, ...arrays by name}` of an ArrayBuffer. The arrays are views into the buffer, not copies. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const found = { header };
  for (const [name, kind, offset, size] of header.arrays)
    found[name] = new KINDS[kind](buffer, 4 + length + offset, size);
  return found;
}
