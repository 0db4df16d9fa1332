/* Latency of a whole network on the candidate page: measured on a worker's machine, beside the latency table's sum. */
import { api } from "../core/api.js";
import { h, toast } from "../core/dom.js";
import { ago, number, plural } from "../core/format.js";
import { measurementIsOpen } from "../core/status.js";

const PAUSE = 1500; // ms between two requests while a measurement runs

const root = document.querySelector("[data-candidate]");
const section = document.querySelector("[data-latency]");
const address = `candidates/${root.dataset.candidate}/latency/`;

const ms = (value) => (value === null ? "–" : `${number(value)} ms`);

function deviation(row) {
  if (row.median_ms === null || row.sum_ms === null) return "–";
  const percent = Math.round((row.sum_ms / row.median_ms - 1) * 100);
  return `${percent > 0 ? "+" : ""}${percent} %`;
}

function line(row) {
  const { options } = row;
  const how =
    `${row.machine || options.device}; ${options.threads} thread${options.threads === 1 ? "" : "s"}, ` +
    `batch ${options.batch_size}, median of ${row.repeats ?? options.repeats} passes ` +
    `after ${plural(options.warmup, "warm-up pass", "warm-up passes")}`;
  const result =
    row.status === "ready"
      ? `${ms(row.median_ms)} (${number(row.low_ms)} to ${number(row.high_ms)})`
      : row.error || row.status;
  const cells = [result, ms(row.sum_ms), deviation(row), how, ago(row.created_at)];
  return h("tr", {}, ...cells.map((text, at) => h("td", { class: at === 1 || at === 2 ? "right" : null }, text)));
}

function show(rows) {
  section.querySelector("tbody").replaceChildren(...rows.map(line));
  section.querySelector(".table-wrap").hidden = rows.length === 0;
  const busy = rows.some(measurementIsOpen);
  section.querySelector("button").disabled = busy;
  section.querySelector("[role=status]").textContent = busy ? "Measuring …" : "";
  if (busy) setTimeout(load, PAUSE);
}

async function load() {
  try {
    show(await api(address));
  } catch (error) {
    section.querySelector("[role=status]").textContent = `The measurements could not be read: ${error.message}`;
  }
}

section.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = Object.fromEntries([...new FormData(event.target)].map(([name, value]) => [name, Number(value)]));
  try {
    await api(address, { method: "POST", body: given });
    await load();
  } catch (error) {
    toast(error.message, "bad");
  }
});

load();
