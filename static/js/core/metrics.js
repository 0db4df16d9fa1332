/* The catalogue of metrics: the page carries the entries of `engine/metrics.py` as JSON. */
let catalogue = null;

/** All metrics by name: label, title (with its unit), heading, unit, digits, source, and the flags in `as_json`. */
function metrics() {
  catalogue ??= new Map(JSON.parse(document.getElementById("metrics").textContent).map((one) => [one.name, one]));
  return catalogue;
}

/** The entry of a metric; a name that the catalogue lacks is its own label. */
export function metricOf(name) {
  return metrics().get(name) ?? { name, label: name, title: name, heading: name, unit: "", digits: 4 };
}

export const allMetrics = () => [...metrics().values()];

/** The metrics that an objective may bucket or limit. */
export const costMetrics = () => allMetrics().filter(({ cost }) => cost);

export const scoreMetrics = () => allMetrics().filter(({ source }) => source === "score");

/** The name of the cost of an objective that names none. */
export const defaultCost = () => allMetrics().find((metric) => metric.default).name;

export const isScore = (name) => metricOf(name).higher_is_better ?? false;

/** A candidate's value of a metric; costs stand in a part of their own. */
export const valueOf = (candidate, { name, cost }) => (cost ? candidate.costs : candidate)[name] ?? null;
