/* The caption of the scatter plot, which names everything that is left out or only counted. */
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
      `Drawn one by one: ${plural(header.single, `isolated${plot.active ? " or recent" : ""} candidate`)}. ` +
        `Counted in squares: the other ${number(counted)}. Darker squares hold more. ` +
        "Zoom in, or click a square to list its candidates.",
    );
  } else if (header.in_view) parts.push("Every candidate is drawn.");
  if (header.infeasible)
    parts.push(
      refusedToo
        ? `Infeasible: ${number(header.infeasible)}, drawn as grey triangles${counted ? " or squares" : ""}.`
        : `Infeasible and not drawn: ${number(header.infeasible)}.`,
    );
  if (header.hidden) parts.push(`Hidden by you: ${number(header.hidden)}.`);
  if (header.outside) parts.push(`${plural(header.outside, "outlier")} beyond the axes; “Outliers” shows them.`);
  if (header.ties)
    parts.push(
      `${plural(header.ties, "hollow point")} on the front: near ties, better than the previous network of the front ` +
        `by at most ${number(header.tie.limit, 3)}, ${header.tie.words}.`,
    );
  const objective = plot.search?.config?.objective;
  if (objective && plot.metric === objective.cost_metric && (objective.lo ?? objective.hi ?? null) !== null)
    parts.push("The tinted band is the target range.");
  parts.push("Drag to select candidates for the table, use Ctrl and the wheel to zoom, and Shift and drag to move.");
  return parts.join(" ");
}
