/* The counts of all cells as one picture, which takes as long to draw for many candidates as for few. */

const CELL = 6; // CSS pixels across

/** The numbers of columns and rows of cells for a plot of this size. */
export function cellsFor(width, height) {
  return [Math.max(8, Math.round(width / CELL)), Math.max(8, Math.round(height / CELL))];
}

/**
 * Draws the cells `index`, numbered row by row from below, in one colour. The more candidates a cell counts, the
 * stronger its colour. Returns the canvas.
 */
export function picture([columns, rows], index, counts, colour, canvas = document.createElement("canvas")) {
  const size = Math.ceil(CELL * Math.min(2, window.devicePixelRatio || 1));
  canvas.width = columns * size;
  canvas.height = rows * size;
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  const most = Math.log1p(counts.reduce((high, count) => Math.max(high, count), 1));
  for (let at = 0; at < index.length; at += 1) {
    context.globalAlpha = 0.22 + 0.78 * (Math.log1p(counts[at]) / most);
    const column = index[at] % columns;
    const row = Math.floor(index[at] / columns);
    context.fillRect(column * size, canvas.height - (row + 1) * size, size - 1, size - 1);
  }
  return canvas;
}

/** A series of ECharts that stretches the picture over the view `[x0, x1, y0, y1]`. */
export function densitySeries(name, image, [x0, x1, y0, y1]) {
  return {
    name,
    type: "custom",
    clip: true,
    silent: true,
    z: 1,
    data: [[x0, y1]],
    tooltip: { show: false },
    renderItem: (_, api) => {
      const [left, top] = api.coord([x0, y1]);
      const [right, bottom] = api.coord([x1, y0]);
      return { type: "image", style: { image, x: left, y: top, width: right - left, height: bottom - top } };
    },
  };
}

/** The cell at a position in data as `{count, range: [x0, x1, y0, y1]}`; null where no cell has candidates. */
export function cellAt([columns, rows], view, log, index, counts, [x, y]) {
  const across = share(x, view[0], view[1], log[0]);
  const up = share(y, view[2], view[3], log[1]);
  if (!(across >= 0 && across < 1 && up >= 0 && up < 1)) return null;
  const at = index.indexOf(Math.floor(up * rows) * columns + Math.floor(across * columns));
  return at < 0 ? null : { count: counts[at], range: cellRange([columns, rows], view, log, index[at]) };
}

/** The ends `[x0, x1, y0, y1]` of a cell. */
export function cellRange([columns, rows], [x0, x1, y0, y1], [logX, logY], cell) {
  const [column, row] = [cell % columns, Math.floor(cell / columns)];
  const across = (at) => value(at / columns, x0, x1, logX);
  const up = (at) => value(at / rows, y0, y1, logY);
  return [across(column), across(column + 1), up(row), up(row + 1)];
}

const scale = (value, log) => (log ? Math.log(value) : value);

/** The position of a value between two ends, from 0 to 1. `value` is the inverse. */
export function share(value, low, high, log) {
  return (scale(value, log) - scale(low, log)) / (scale(high, log) - scale(low, log));
}

export function value(part, low, high, log) {
  const found = scale(low, log) + part * (scale(high, log) - scale(low, log));
  return log ? Math.exp(found) : found;
}
