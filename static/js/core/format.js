/* Numbers, times and names as people read them. */

export const METRICS = {
  madds_m: { name: "Multiply-adds", unit: "M", axis: "Multiply-adds (millions for one image)" },
  params_m: { name: "Parameters", unit: "M", axis: "Parameters (millions)" },
  activation_mb: { name: "Activation memory", unit: "MB", axis: "Activation memory (MB for one image)" },
  table_cost: { name: "Table cost", unit: "", axis: "Table cost (the table's own unit)" },
};

export const STATUSES = ["queued", "running", "pausing", "paused", "stopping", "finished", "failed", "cancelled"];

const DASH = "–";

/** A number with about `digits` significant digits, never in a form that hides its size. */
export function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(Math.max(0, digits - 2));
  if (size >= 10 ** (digits - 1)) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(digits)));
}

/** A count that may be larger than a float holds (a bound arrives as text). */
export function count(value) {
  if (value === null || value === undefined || value === "") return DASH;
  const text = String(value);
  if (!/^\d+$/.test(text)) return text;
  if (text.length > 9) return `${text[0]}.${text.slice(1, 3)}e${text.length - 1}`;
  return Number(text).toLocaleString("en");
}

export function cost(value, metric) {
  const unit = METRICS[metric]?.unit;
  return value === null || value === undefined ? DASH : `${number(value)}${unit ? ` ${unit}` : ""}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return DASH;
  if (seconds < 1) return seconds === 0 ? "0 s" : `${number(seconds, 2)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${number(seconds / 3600, 3)} h`;
  return `${number(seconds / 86400, 3)} d`;
}

export function percent(value) {
  return value === null || value === undefined ? DASH : `${number(value, 4)} %`;
}

export function clock(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function ago(time) {
  if (!time) return DASH;
  const seconds = (Date.now() - new Date(time)) / 1000;
  return seconds < 5 ? "now" : `${duration(seconds)} ago`;
}

/** What the evaluations run towards: the budget, the algorithm's own bound, or whichever is smaller. */
export function target(search) {
  const bound = /^\d+$/.test(search.bound ?? "") ? Number(search.bound) : null;
  const budget = search.budget?.evaluations ?? null;
  if (bound !== null && budget !== null) return Math.min(bound, budget);
  return budget ?? bound;
}

export function plural(amount, one, many = `${one}s`) {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}
