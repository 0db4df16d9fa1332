/* One look a search: a colour, and from the second turn through the colours on another dash and symbol. */

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

/** The searches as lines of the plots: one a search, or one a group of repeats with the others left out. */
export function linesOf(comparison) {
  const grouped = new Map(comparison.groups.flatMap((group) => group.searches.map((id) => [id, group])));
  const lines = [];
  const seen = new Set();
  for (const search of comparison.searches) {
    const group = grouped.get(search.id);
    if (group && seen.has(group)) continue;
    seen.add(group);
    const unlike = group && new Set(group.seeds).size === group.seeds.length;
    const label = group ? `${group.name} × ${group.searches.length} ${unlike ? "seeds" : "searches"}` : search.name;
    lines.push({ label, search, group, look: lookOf(lines.length) });
  }
  return lines;
}
