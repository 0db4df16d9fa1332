/* The candidate page: the network, its costs and scores, its origin, and the files to download. */
import { api } from "../core/api.js";
import { axis, Chart, tip, tooltip } from "../core/charts.js";
import { facts, h, kindLabel, setText } from "../core/dom.js";
import { showDrawing } from "../core/drawings.js";
import { duration, measure, number, percent } from "../core/format.js";
import { costMetrics, metricOf, scoreMetrics } from "../core/metrics.js";
import { candidateMarks } from "../core/marks.js";
import { fetchPrepared } from "../core/prepared.js";
import { lineageList } from "../search/lineage.js";

const DOWNLOADS = {
  zip: ["Everything", "verified zip of all files below"],
  onnx: ["ONNX", "for onnxruntime and others"],
  pt2: ["torch.export", ".pt2 program"],
  py: ["model.py", "imports only torch"],
  pt: ["weights.pt", "state_dict of model.py"],
  json: ["JSON", "architecture, costs, scores"],
};
const TERMS = {
  landscape: "Landscape term",
  speed: "Speed term",
  learning: "Learning term",
  distinctness: "Distinctness term",
  richness: "Richness term",
  time_seconds: "Time in the speed term",
  train_seconds: "Measured training time",
  connected: "Input reaches output",
  profile: "Profile",
  time_model: "Time model",
};

const SHOWN_APART = new Set(["mote", "mote_plus", "valid_accuracy", "truth"]);

const root = document.querySelector("[data-candidate]");
const place = (name) => document.querySelector(`[data-${name}]`);

function curve(element, values, { x, y, label, from = 1 }) {
  const data = values.map((value, at) => [at + from, value]);
  const build = (c) => ({
    grid: { left: 58, right: 16, top: 12, bottom: 44 },
    xAxis: axis(c, x, { scale: true, minInterval: 1 }),
    yAxis: axis(c, y, { nameGap: 42 }),
    tooltip: tooltip(c, {
      trigger: "axis",
      formatter: ([event]) => tip(`${x} ${event.value[0]}`, [[y, number(event.value[1], 5)]]),
    }),
    series: [
      {
        type: "line",
        data,
        symbolSize: 6,
        showSymbol: data.length < 40,
        lineStyle: { color: c.blue, width: 2 },
        itemStyle: { color: c.blue },
      },
    ],
  });
  new Chart(element, build, { label }).draw();
}

function showCurves(candidate) {
  const epochs = candidate.curves?.epoch_losses ?? [];
  const slice = candidate.curves?.landscape_losses ?? [];
  for (const [name, values, options] of [
    ["loss", epochs, { x: "Epoch", y: "Training loss", label: "Line chart of the training loss by epoch." }],
    [
      "slice",
      slice,
      {
        x: "Step on the line",
        y: "Loss",
        from: 0,
        label: "Line chart of the loss on the line from the initial to the trained weights.",
      },
    ],
  ]) {
    const section = place(name);
    section.hidden = values.length < 2;
    if (!section.hidden) curve(section.querySelector(".chart"), values, options);
  }
}

function scoreFacts(candidate) {
  const terms = { ...candidate.terms, ...candidate.mote };
  const listed = Object.entries(terms).filter(([, value]) => typeof value === "number" || typeof value === "string");
  return facts([
    ...scoreMetrics().map(({ name, label, rare }) => [
      label,
      rare && candidate[name] === null ? null : measure(candidate[name], name),
    ]),
    ["Its rank", candidate.random_rank?.words ?? null],
    ...listed
      .filter(([name]) => !SHOWN_APART.has(name))
      .map(([name, value]) => [
        TERMS[name] ?? name.replaceAll("_", " "),
        typeof value === "string"
          ? value
          : name === "connected"
            ? value
              ? "yes"
              : "no"
            : name.endsWith("seconds")
              ? duration(value)
              : number(value, 5),
      ]),
    ["Charged", duration(candidate.seconds)],
  ]);
}

/** How the score was made: network, data, steps and machine, as the worker noted them. */
function xray(candidate) {
  const noted = Object.entries(candidate.setup).map(([name, words]) => [name[0].toUpperCase() + name.slice(1), words]);
  const ran = candidate.device
    ? `${candidate.device}, ${duration(candidate.seconds)}${candidate.from_cache ? " when it was first scored" : ""}`
    : null;
  return facts([...noted, ["Ran on", ran], ["Seed", candidate.seed === null ? null : String(candidate.seed)]]);
}

/** Shows the final estimates of a finalist, which decide between the finalists. */
function showFinals(candidate) {
  const section = place("finals");
  section.hidden = !candidate.finals.length;
  const heads = [
    "Estimate",
    "Seed",
    "Status",
    ...["score", "valid_accuracy", "seconds"].map((name) => metricOf(name).label),
  ];
  const rows = candidate.finals.map((final) =>
    h(
      "tr",
      {},
      h("td", {}, kindLabel(final.estimator)),
      h("td", { class: "right" }, String(final.seed)),
      h(
        "td",
        {},
        h("span", { class: "chip", dataset: { status: final.status } }, final.status),
        final.error ? ` ${final.error}` : "",
      ),
      h("td", { class: "right" }, number(final.score, 6)),
      h("td", { class: "right" }, percent(final.terms.valid_accuracy ?? null)),
      h("td", { class: "right" }, number(final.seconds, 3)),
    ),
  );
  const head = h("thead", {}, h("tr", {}, ...heads.map((title) => h("th", { scope: "col" }, title))));
  section.querySelector("[data-rows]").replaceChildren(h("table", { class: "data" }, head, h("tbody", {}, ...rows)));
}

function provenance(candidate) {
  return facts([
    ["Status", candidate.status],
    ["Estimate of", candidate.stage ? `candidate ${candidate.parent}, scored again as a finalist` : null],
    ["Proposed in round", number(candidate.round)],
    ["Origin", candidate.origin],
    ["Layer", candidate.labels[candidate.layer]?.layer ?? null],
    ["Bucket", candidate.bucket === null ? null : String(candidate.bucket)],
    [
      "From cache",
      candidate.from_cache ? "yes, the score of an earlier evaluation with the same estimate, data and seed" : "no",
    ],
    ["Device", candidate.device],
    ["Worker", candidate.worker],
    ["Estimate seed", candidate.seed === null ? null : String(candidate.seed)],
    ["Fidelity", candidate.fidelity],
  ]);
}

function showDownloads(candidate) {
  const form = document.querySelector("[name=form]");
  const build = () =>
    place("downloads").replaceChildren(
      ...Object.entries(DOWNLOADS)
        .filter(([format]) => candidate.downloads[format])
        .map(([format, [name, text]]) => {
          const address =
            form.value === "backbone" ? `${candidate.downloads[format]}&form=backbone` : candidate.downloads[format];
          const note = h("span", {}, text);
          const link = h(
            "a",
            { class: "download", href: address, download: "", dataset: { format } },
            h("strong", {}, name),
            note,
          );
          link.addEventListener("click", (event) =>
            fetchPrepared(event, note, address.replace("/download/", "/prepare/")),
          );
          return link;
        }),
    );
  form.addEventListener("change", build);
  build();
  const trained = candidate.trained_valid_accuracy !== null;
  const test =
    candidate.trained_test_accuracy === null
      ? "no test images"
      : `test accuracy ${percent(candidate.trained_test_accuracy)}`;
  const weights = trained
    ? `The downloads hold trained weights: validation accuracy ${percent(candidate.trained_valid_accuracy)}, ${test}.`
    : "Not trained in full yet: the downloads hold the initial weights of the seed.";
  setText(
    place("weights"),
    `${weights} ONNX and .pt2 files are checked against PyTorch when they are created. ` +
      "Every file includes the class names and the preprocessing.",
  );
}

function show(candidate) {
  setText(place("number"), `Candidate ${candidate.number}`);
  setText(place("arch"), candidate.arch);
  const chip = place("chip");
  chip.dataset.status = candidate.status;
  setText(chip, candidate.status);
  place("infeasible").hidden = candidate.feasible;
  place("error").hidden = !candidate.error;
  setText(place("error").firstElementChild, candidate.error ? `It could not be scored: ${candidate.error}` : "");
  place("costs").replaceChildren(
    facts(
      costMetrics()
        .filter(({ name }) => candidate.costs[name] !== null)
        .map(({ name, label }) => [label, measure(candidate.costs[name], name)]),
    ),
  );
  place("scores").replaceChildren(scoreFacts(candidate));
  place("xray").replaceChildren(xray(candidate));
  place("provenance").replaceChildren(provenance(candidate));
  showFinals(candidate);
  place("choices").replaceChildren(
    facts(candidate.labels.map(({ layer, label }) => [layer, h("span", { class: "mono" }, label)])),
  );
  candidateMarks(place("marks"), candidate);
  place("lineage").replaceChildren(
    candidate.lineage.length
      ? lineageList(candidate.lineage)
      : h("p", { class: "muted" }, "This candidate was not derived from another one."),
  );
  showDownloads(candidate);
  document.querySelector("[name=number]").value = candidate.parent ?? "";
  const drawing = place("drawing");
  drawing.alt = `Drawing of ${candidate.arch}`;
  showDrawing(drawing, candidate.drawing, () => (place("drawing-error").hidden = !(drawing.hidden = true)));
  place("drawing-link").href = candidate.drawing;
  showCurves(candidate);
}

document.addEventListener("trained", () => location.reload());
try {
  show(await api(`candidates/${root.dataset.candidate}/`));
} catch (error) {
  const banner = place("error");
  banner.hidden = false;
  banner.firstElementChild.textContent = `The candidate could not be read: ${error.message}`;
}
