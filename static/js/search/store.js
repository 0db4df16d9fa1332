/* The scored candidates of one search, column by column; a candidate that arrives again replaces itself. */
import { api } from "../core/api.js";

const NUMBERS_A_REQUEST = 400; // keeps the address well under what proxies take

export class PointStore {
  constructor(search) {
    this.search = search;
    this.columns = { number: [] };
    this.rows = new Map(); // candidate number -> row
    this.version = 0;
  }

  get size() {
    return this.columns.number.length;
  }

  async loadAll() {
    let after = -1;
    for (;;) {
      const { columns, last, more } = await api(`searches/${this.search}/points/`, { params: { after } });
      this.merge(columns);
      if (!more) return;
      after = last;
    }
  }

  async load(numbers) {
    for (let at = 0; at < numbers.length; at += NUMBERS_A_REQUEST) {
      const wanted = numbers.slice(at, at + NUMBERS_A_REQUEST).join();
      this.merge((await api(`searches/${this.search}/points/`, { params: { numbers: wanted } })).columns);
    }
  }

  merge(columns) {
    const names = Object.keys(columns);
    columns.number.forEach((number, at) => {
      const row = this.rows.get(number) ?? this.size;
      this.rows.set(number, row);
      for (const name of names) (this.columns[name] ??= [])[row] = columns[name][at];
    });
    if (columns.number.length) this.version += 1;
  }

  value(name, row) {
    return this.columns[name]?.[row] ?? null;
  }

  /** Whether any candidate has a value in the column. */
  has(name) {
    return (this.columns[name] ?? []).some((value) => value !== null);
  }

  /** Rows with a score, in the order of their numbers. */
  scored() {
    const { number, score } = this.columns;
    const rows = [...number.keys()].filter((row) => score[row] !== null);
    return rows.sort((a, b) => number[a] - number[b]);
  }
}

/**
 * The Pareto front: rows that no other row beats in both cost (lower) and value (higher), by ascending cost.
 * Of rows alike in both, the first number stands for all.
 */
export function paretoFront(rows, cost, value, number) {
  const sorted = [...rows].sort((a, b) => cost[a] - cost[b] || value[b] - value[a] || number[a] - number[b]);
  const front = [];
  let best = -Infinity;
  for (const row of sorted) {
    if (value[row] <= best) continue;
    best = value[row];
    front.push(row);
  }
  return front;
}
