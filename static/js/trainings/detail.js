/* The page of a full training: progress and learning curves, followed live. */
import { api } from "../core/api.js";
import { axis, Chart, nothing, saveMenu, tip, tooltip } from "../core/charts.js";
import { facts, h, progressBar, setBar, setText } from "../core/dom.js";
import { ago, duration, number, percent } from "../core/format.js";
import { showDeleted } from "../core/live.js";
import { at } from "../core/paths.js";
import { fetchPrepared } from "../core/prepared.js";
import { trainingIsActive } from "../core/status.js";
import { actionButtons, follow } from "./parts.js";

const root = document.querySelector("[data-training]");
const part = (name) => root.querySelector(`[data-${name}]`);
const bar = progressBar("Progress of the training");
part("progress").append(bar);
let training = null;
let drawn = "";

function curve(element, name, words, shown, mark) {
  const build = (c) => {
    const values = training?.[name] ?? [];
    if (!values.length) return nothing(c, "The first point appears after the first epoch.");
    const colour = name === "train_losses" ? c.blue : c.green;
    const best = mark && training.best_epoch ? [{ coord: [training.best_epoch, values[training.best_epoch - 1]] }] : [];
    const pin = {
      data: best,
      symbol: "circle",
      symbolSize: 13,
      itemStyle: { color: c.orange },
      label: { show: false },
      animation: false,
    };
    return {
      graphic: [],
      grid: { left: 58, right: 20, top: 14, bottom: 44 },
      xAxis: axis(c, "Epoch", { min: 1, max: Math.max(2, training.epochs), minInterval: 1, scale: false }),
      yAxis: axis(c, words, { nameGap: 44 }),
      tooltip: tooltip(c, {
        trigger: "axis",
        formatter: ([event]) => tip(`Epoch ${event.value[0]}`, [[words, shown(event.value[1])]]),
      }),
      series: [
        {
          type: "line",
          data: values.map((value, at) => [at + 1, value]),
          showSymbol: values.length < 60,
          symbolSize: 6,
          lineStyle: { color: colour, width: 2 },
          itemStyle: { color: colour },
          markPoint: pin,
        },
      ],
    };
  };
  return new Chart(element, build, { label: `Line chart: ${words} by epoch.` });
}

const charts = {
  loss: curve(part("loss"), "train_losses", "Training loss", (value) => number(value, 4), false),
  accuracy: curve(part("accuracy"), "valid_accuracies", "Validation accuracy (%)", (value) => percent(value), true),
};
for (const [name, column] of [
  ["loss", "train_losses"],
  ["accuracy", "valid_accuracies"],
]) {
  const rows = () => [["epoch", column], ...(training?.[column] ?? []).map((value, epoch) => [epoch + 1, value])];
  saveMenu(root.querySelector(`[data-save=${name}]`), charts[name], `training-${root.dataset.training}-${name}`, rows);
}

function kpis() {
  const { valid_accuracy: valid, best_valid_accuracy: best, test_accuracy: test } = training;
  return [
    [
      "Validation accuracy",
      percent(valid ?? best),
      training.best_epoch ? `epoch ${training.best_epoch}, the best` : "after the first epoch",
    ],
    [
      "Test accuracy",
      percent(test),
      test === null
        ? training.status === "finished"
          ? "the data has no test images"
          : "measured once, at the end"
        : "measured once",
    ],
    ["Estimate", number(training.candidate.score, 5), "the search's score"],
    [
      "Epochs",
      `${training.epoch} / ${training.epochs}`,
      training.status === "finished"
        ? "all of them"
        : training.steps
          ? `step ${training.step} of ${training.steps}`
          : "not started",
    ],
    ["Time", duration(training.seconds), training.device || "no device yet"],
    [
      "Time left",
      duration(training.eta_seconds),
      training.finished_at
        ? `ended ${ago(training.finished_at)}`
        : training.started_at
          ? `started ${ago(training.started_at)}`
          : "not started",
    ],
  ];
}

/** The button that downloads this training's weights and everything that belongs to them as one verified zip. */
function downloadButton() {
  const query = `?format=zip&training=${training.id}`;
  const note = h("span", { class: "small" });
  const link = h(
    "a",
    { class: "button primary", href: `/api/v1/candidates/${training.candidate.id}/download/${query}`, download: "" },
    "Trained network as zip",
    note,
  );
  link.addEventListener("click", (event) =>
    fetchPrepared(event, note, `candidates/${training.candidate.id}/prepare/${query}`),
  );
  return link;
}

function show() {
  const chip = part("chip");
  chip.dataset.status = training.status;
  setText(chip, training.status);
  setText(part("about"), `${training.described} · ${training.data}`);
  setBar(bar, training.progress);
  part("waiting").hidden = !training.waiting;
  setText(part("waiting").firstElementChild, training.waiting);
  part("error").hidden = !training.error;
  setText(part("error").firstElementChild, training.error ? `The training failed: ${training.error}` : "");
  part("kpis").replaceChildren(
    ...kpis().map(([name, value, note]) =>
      h("div", { class: "kpi" }, h("dt", {}, name), h("dd", {}, value, h("small", {}, note))),
    ),
  );
  const actions = part("actions");
  if (actions.dataset.key !== training.actions.join()) {
    actions.dataset.key = training.actions.join();
    const candidate = h("a", { class: "button", href: `/candidates/${training.candidate.id}/` }, "Candidate");
    const downloads = training.status === "finished" ? [downloadButton()] : [];
    actions.replaceChildren(
      ...downloads,
      candidate,
      ...actionButtons(training, (name) => (name === "delete" ? location.assign(at("/trainings/")) : again()), false),
    );
  }
  part("facts").replaceChildren(
    facts([
      ["Recipe", training.described],
      ["Source", training.source],
      ["Augmentation", training.augmentation],
      ["Data", training.data],
      ["Seed", String(training.config.seed)],
      ["Architecture", h("span", { class: "mono" }, training.candidate.arch)],
      ["Worker", training.worker],
    ]),
  );
  const key = `${training.valid_accuracies.length} ${training.best_epoch}`;
  if (drawn !== key) Object.values(charts).forEach((chart) => chart.draw(true));
  drawn = key;
}

async function load() {
  training = await api(`trainings/${root.dataset.training}/`);
  show();
  return trainingIsActive(training);
}

function failed(error) {
  if (!error) return;
  if (error.status === 404) {
    showDeleted(root, "training", { path: "/trainings/", label: "To the trainings" });
    return;
  }
  part("error").hidden = false;
  setText(part("error").firstElementChild, `The training could not be read: ${error.message}`);
}

const again = follow(load, { failed });
