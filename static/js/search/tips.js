/* The tooltip of a point: its coordinates at once, and all its numbers as soon as the server has answered. */
import { api } from "../core/api.js";
import { tip } from "../core/charts.js";
import { measure } from "../core/format.js";
import { allMetrics, metricOf } from "../core/metrics.js";

const KEPT = 200;

export class PointTips {
  constructor(search, plot) {
    this.search = search;
    this.plot = plot;
    this.known = new Map();
  }

  show(event, ticket, later) {
    const [x, y, candidate] = event.data ?? [];
    if (candidate === undefined) return "";
    const known = this.known.get(candidate);
    if (known) return this.full(candidate, known);
    this.read(candidate).then(
      (found) => found && later(ticket, this.full(candidate, found)),
      () => {},
    );
    const { metric, value } = this.plot;
    return tip(`Candidate ${candidate}`, [
      [metricOf(value).label, measure(y, value)],
      [metricOf(metric).label, measure(x, metric)],
    ]);
  }

  async read(candidate) {
    const { columns } = await api(`searches/${this.search}/points/`, { params: { numbers: candidate } });
    if (!columns.number.length) return null;
    const found = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[0]]));
    this.known.set(candidate, found);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value);
    return found;
  }

  full(candidate, found) {
    const pairs = allMetrics().map(({ name, label }) => [label, measure(found[name], name)]);
    pairs.push(
      ["Layer", this.plot.search?.layer_names[found.layer] ?? null],
      ["Feasible", found.feasible ? "yes" : "no"],
    );
    return tip(`Candidate ${candidate}`, pairs);
  }
}
