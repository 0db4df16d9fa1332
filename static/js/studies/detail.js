/* A study: the progress of its arms, and how each estimate ranks the networks. */
import { api } from "../core/api.js";
import { ask, h, progressBar, saveRows, setBar, setText, toast } from "../core/dom.js";
import { duration, number, plural } from "../core/format.js";
import { Doorbell, liveState, showDeleted } from "../core/live.js";
import { at } from "../core/paths.js";
import { UrlState } from "../core/state.js";
import { searchHasEnded } from "../core/status.js";
import { AgreementPlot, baselineName, GroupsPlot, ScatterPlot, TausPlot } from "./plots.js";

const place = (name) => document.querySelector(`[data-${name}]`);
const page = place("study");
const study = Number(page.dataset.study);
const state = new UrlState({ estimate: "" });
const chooser = document.querySelector("[name=estimate]");
const plots = {};
let results = null;
let drawn = "";

function showArms(arms) {
  place("arms").replaceChildren(
    ...arms.map((arm) => {
      const bar = progressBar(`Progress of ${arm.arm}`);
      setBar(bar, (arm.scored + arm.failed) / arm.networks);
      const failed = arm.failed ? `, ${arm.failed} failed` : "";
      return h(
        "div",
        {},
        h("a", { href: at(`/searches/${arm.search}/`) }, arm.arm),
        bar,
        h(
          "span",
          { class: "muted small", title: arm.reason },
          `${arm.scored} of ${arm.networks}${failed}${arm.reason ? `: ${arm.reason}` : ""}`,
        ),
      );
    }),
  );
}

function showTable() {
  const signed = (value) => number(value, 3);
  const head = [
    "Estimate",
    "Tau",
    "95% interval",
    "Spearman",
    "Best tenth",
    "nDCG, top tenth",
    "Scored",
    "Seconds each",
  ];
  const values = (row) => [
    signed(row.tau?.value),
    row.tau ? `${signed(row.tau.low)} to ${signed(row.tau.high)}` : "–",
    signed(row.spearman),
    signed(row.tau_best_tenth),
    signed(row.ndcg_top),
  ];
  const cells = (tag, row) =>
    row.map((cell, column) => h(tag, { class: column ? "right" : null, scope: tag === "th" ? "col" : null }, cell));
  const rows = [
    ...results.estimates.map((row) => [row.name, ...values(row), number(row.scored), duration(row.seconds)]),
    ...results.baselines.map((row) => [
      baselineName(row),
      ...values(row),
      number(row.tau?.count ?? results.truth_known),
      "none",
    ]),
  ];
  place("table").replaceChildren(
    h(
      "table",
      { class: "data" },
      h("thead", {}, h("tr", {}, ...cells("th", head))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...cells("td", row)))),
    ),
  );
  place("csv").onclick = () => saveRows("study.csv", [head, ...rows]);
  const truth =
    results.points.truth === null
      ? "No truth was named."
      : `The truth is known for ${number(results.truth_known)} of ${plural(results.networks, "network")}.`;
  setText(
    place("note"),
    `${truth} “Best tenth” ranks only the tenth of the networks with the best truth, which a search must order ` +
      "correctly in the end. It is shown where that tenth has ten networks or more. “nDCG, top tenth” looks at the " +
      "tenth that an estimate ranks highest: 1 where these are the best in truth and in order, about 0.45 by chance. " +
      "It is shown where that tenth has three networks or more. Baselines are counts, which take no trial.",
  );
  const sentences = results.estimates
    .map(({ name, sentence, constant }) => (constant ? `${name}: ${constant}.` : sentence))
    .filter(Boolean);
  place("verdicts").replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
  place("verdicts").hidden = !sentences.length;
}

function show() {
  const truth = results.points.truth !== null;
  place("plots").hidden = place("figures").hidden = !results.networks;
  for (const id of ["taus", "scatter", "groups"]) document.getElementById(id).hidden = !truth;
  if (!results.networks) return;
  const names = results.estimates.map(({ name }) => name);
  chooser.replaceChildren(...names.map((name, index) => h("option", { value: String(index) }, name)));
  const chosen = Math.min(Number(state.get("estimate") || 0), names.length - 1);
  chooser.value = String(chosen);
  plots.taus ??= new TausPlot(document.getElementById("taus"));
  plots.scatter ??= new ScatterPlot(document.getElementById("scatter"));
  plots.agreement ??= new AgreementPlot(document.getElementById("agreement"));
  plots.groups ??= new GroupsPlot(document.getElementById("groups"));
  for (const plot of Object.values(plots)) plot.show(results, chosen);
  showTable();
}

/** The number of networks that were drawn, in words; a study that ended early also names how many it asked for. */
function drawnOf({ arms, config }, ended) {
  const drawn = Math.max(...arms.map(({ scored, failed }) => scored + failed));
  const asked = plural(config.networks, "random network");
  return ended && drawn < config.networks ? `${number(drawn)} of ${asked}` : asked;
}

async function load() {
  const found = await api(`studies/${study}/`);
  const chip = place("chip");
  chip.dataset.status = found.status;
  setText(chip, found.status);
  const ended = searchHasEnded(found);
  const { seed, truth } = found.config;
  const estimates = plural(found.arms.filter(({ arm }) => arm !== "truth").length, "estimate");
  const against = truth ? ` against ${truth.kind.replaceAll("_", " ")}` : "";
  setText(place("about"), `${drawnOf(found, ended)}, seed ${seed} · ${estimates}${against}`);
  setText(place("yaml"), found.yaml);
  place("cancel").hidden = ended;
  showArms(found.arms);
  const key = [found.status, ...found.arms.map((arm) => arm.scored + arm.failed)].join();
  if (key === drawn) return;
  results = await api(`studies/${study}/results/`);
  drawn = key;
  show();
}

async function act(path, options, done) {
  try {
    await api(path, options);
    done();
  } catch (error) {
    toast(error.status ? error.message : "The server could not be reached; nothing was changed. Try again.", "bad");
  }
}

const online = liveState(place("live"));
online("waiting");
const bell = new Doorbell("/ws/searches/", load, {
  state: online,
  gone: () => showDeleted(page, "study", { path: "/studies/", label: "To the studies" }),
});
chooser.addEventListener("change", () => {
  state.set("estimate", chooser.value);
  show();
});
place("cancel").addEventListener("click", () => act(`studies/${study}/cancel/`, { method: "POST" }, () => bell.ring()));
place("delete").addEventListener("click", async () => {
  const sure = await ask({
    title: "Delete the study?",
    text: "Its searches are removed with it. This cannot be undone.",
    confirm: "Delete it",
    danger: true,
  });
  if (sure) act(`studies/${study}/`, { method: "DELETE" }, () => location.assign(at("/studies/")));
});
bell.ring();
