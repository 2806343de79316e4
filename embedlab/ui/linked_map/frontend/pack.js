// Takes apart what packing.py joined: header length, JSON header, aligned little-endian arrays.

const TYPES = {
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
};

export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const arrays = {};
  for (const [name, [type, offset, size]] of Object.entries(header.arrays)) {
    arrays[name] = new TYPES[type](buffer, 8 + length + offset, size);
  }
  return { ...header, arrays };
}
