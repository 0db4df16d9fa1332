/* How each search is drawn: its colour and symbol, and another dash once all colours are used. */

const COLOURS = ["blue", "orange", "green", "purple", "gold", "red"];
const DASHES = ["solid", "dashed", "dotted"];
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect"];

function lookOf(at) {
  return {
    colour: COLOURS[at % COLOURS.length],
    dash: DASHES[Math.floor(at / COLOURS.length) % DASHES.length],
    symbol: SYMBOLS[at % SYMBOLS.length],
  };
}

/** The lines of the plots: one for each search, or one for each group of repeats. */
export function linesOf(comparison) {
  const grouped = new Map(comparison.groups.flatMap((group) => group.searches.map((id) => [id, group])));
  const lines = [];
  const seen = new Set();
  for (const search of comparison.searches) {
    const group = grouped.get(search.id);
    if (group && seen.has(group)) continue;
    seen.add(group);
    const distinct = group && new Set(group.seeds).size === group.seeds.length;
    const label = group ? `${group.name} × ${group.searches.length} ${distinct ? "seeds" : "searches"}` : search.name;
    lines.push({ label, search, group, look: lookOf(lines.length) });
  }
  return lines;
}
