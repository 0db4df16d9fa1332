/* The caption of the scatter plot: it names everything that is left out or only counted. */
import { number, plural } from "../core/format.js";

export function caption(plot) {
  const { header } = plot.found;
  const refusedToo = plot.state.get("infeasible") === "1";
  const counted = header.in_view - header.single;
  const past = plot.replay.past;
  const parts = [
    `${past ? `Replay, ${past}: ` : ""}${plural(header.feasible, "feasible candidate")}; ` +
      `${number(plot.found.front_number.length)} on the front.`,
  ];
  if (plot.shown) parts.push(`${number(header.in_view)} in view.`);
  if (counted > 0) {
    parts.push(
      `${number(header.single)} stand alone${plot.active ? " or are the latest" : ""} and are drawn one by one; ` +
        `the other ${number(counted)} are counted in squares, the fuller the darker: ` +
        "zoom in, or click a square for its candidates.",
    );
  } else if (header.in_view) parts.push("Every candidate is drawn.");
  if (header.infeasible)
    parts.push(
      refusedToo
        ? `${number(header.infeasible)} infeasible as grey triangles${counted ? " or squares" : ""}.`
        : `${number(header.infeasible)} infeasible hidden.`,
    );
  if (header.hidden) parts.push(`${number(header.hidden)} hidden by you.`);
  if (header.outside) parts.push(`${plural(header.outside, "outlier")} beyond the axes; “Outliers” shows them.`);
  if (header.ties)
    parts.push(
      `${number(header.ties)} hollow on the front, near ties: better than the neighbour before ` +
        `by no more than ${number(header.tie.limit, 3)}, ${header.tie.words}.`,
    );
  const objective = plot.search?.config?.objective;
  if (objective && plot.metric === objective.cost_metric && (objective.lo ?? objective.hi ?? null) !== null)
    parts.push("The tinted band is the target range.");
  parts.push("Drag selects candidates for the table; Ctrl and wheel zoom, Shift and drag move.");
  return parts.join(" ");
}
