// The values of the runs in half precision: a table of epochs by modules for each run and kind.

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

export class Values {
  // `bytes` is a DataView, or a string in base64.
  constructor(index, bytes) {
    this.index = index;
    const view =
      typeof bytes === "string" ? new DataView(Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0)).buffer) : bytes;
    this.numbers = new Float32Array(view.byteLength / 2);
    for (let i = 0; i < this.numbers.length; i++) this.numbers[i] = half(view.getUint16(2 * i, true));
  }

  modules(group, kind) {
    const [run] = group.runs.map((i) => this.index.runs[i]).filter((one) => one.kinds[kind]);
    return run ? this.index.names[run.kinds[kind].names] : [];
  }

  lastEpoch(group) {
    const tables = group.runs.flatMap((i) => Object.values(this.index.runs[i].kinds));
    return Math.max(...tables.map((table) => table.epochs.at(-1)));
  }

  // Returns a row for each module of each run of a group, at the last epoch up to `until`, or at all epochs.
  rows(group, side, kind, { until = Infinity, all = false } = {}) {
    const found = [];
    const strength = Math.max(0.3, group.runs.length ** -0.5);
    const look = { side: "AB"[side], colour: group.colour, shape: ["circle", "diamond"][side], strength };
    for (const run of group.runs.map((i) => this.index.runs[i])) {
      const table = run.kinds[kind];
      if (!table) continue;
      const names = this.index.names[table.names];
      const last = table.epochs.findLastIndex((epoch) => epoch <= until);
      for (let row = all ? 0 : last; row <= last; row++) {
        names.forEach(([name, stage, block], i) => {
          const value = this.numbers[table.at + row * names.length + i];
          if (!Number.isFinite(value)) return;
          found.push({ ...look, run: run.name, name, stage, block, place: i + 1, epoch: table.epochs[row], value });
        });
      }
    }
    return found;
  }

  // Returns scales with the norms of their kernels; zeros are omitted, because the axes are logarithmic.
  plane(group, side, options) {
    const key = (row) => `${row.run} ${row.epoch} ${row.block}`;
    const norms = new Map(this.rows(group, side, "kernel", options).map((row) => [key(row), row.value]));
    return this.rows(group, side, "trsf", options)
      .map((row) => ({ ...row, scale: row.value, size: Math.abs(row.value), norm: norms.get(key(row)) }))
      .filter((row) => row.size > 0 && row.norm > 0)
      .map((row) => ({ ...row, shape: row.scale < 0 ? "triangle-down" : row.shape }));
  }
}

// Returns the range of all values and zero, slightly widened.
export function limits(rows) {
  const low = rows.reduce((least, { value }) => Math.min(least, value), 0);
  const high = rows.reduce((most, { value }) => Math.max(most, value), 0);
  const margin = 0.04 * (high - low) || 1;
  return [low < 0 ? low - margin : 0, high + margin];
}

// Returns lines of constant product over the range of `rows`.
export function equalLines(rows) {
  if (!rows.length) return [];
  const range = (field) => rows.reduce(([a, b], row) => [Math.min(a, row[field]), Math.max(b, row[field])], [Infinity, 0]);
  const [[left, right], [bottom, top]] = [range("norm"), range("size")];
  const lines = [];
  const [least, most] = [left * bottom, right * top].map((product) => Math.round(2 * Math.log10(product)));
  for (let power = least; power <= most; power++) {
    const product = 10 ** (power / 2);
    const [from, to] = [Math.max(left, product / top), Math.min(right, product / bottom)];
    if (from < to) for (const norm of [from, to]) lines.push({ product, norm, size: product / norm });
  }
  return lines;
}
