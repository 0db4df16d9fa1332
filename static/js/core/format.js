/* Numbers, times and metrics as people read them. */

import { metricOf } from "./metrics.js";

const DASH = "–";
const WHOLE = new Intl.NumberFormat("en"); // made once, because making it takes longer than formatting
const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** A number with about `digits` significant digits. Whole numbers keep all their digits. */
export function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  if (Number.isInteger(value)) return WHOLE.format(value);
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(Math.max(0, digits - 2));
  if (size >= 10 ** (digits - 1)) return WHOLE.format(Math.round(value));
  return String(Number(value.toPrecision(digits)));
}

/** The truth of a table's best network as text, which says whether the search's limits applied to the choice. */
export function optimumOf({ truth, limits }) {
  const words = { none: "", met: " within the limits", ignored: ", limits ignored" };
  return `table's optimum ${number(truth, 5)}${words[limits]}`;
}

/** The number of evaluations, followed by their upper limit if the search has one. */
export function evaluated(search) {
  return search.bound === null ? number(search.evaluated) : `${number(search.evaluated)} / ${number(search.bound)}`;
}

/** The value of a metric with its unit, rounded to the metric's number of digits. */
export function measure(value, metric) {
  const { unit, digits } = metricOf(metric);
  return value === null || value === undefined ? DASH : `${number(value, digits)}${unit ? ` ${unit}` : ""}`;
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
  return CLOCK.format(new Date(time));
}

export function ago(time) {
  if (!time) return DASH;
  const seconds = (Date.now() - new Date(time)) / 1000;
  return seconds < 5 ? "now" : `${duration(seconds)} ago`;
}

export function plural(amount, one, many = `${one}s`) {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}
