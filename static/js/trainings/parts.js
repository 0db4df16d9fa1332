/* What the pages of full trainings share: rows, actions, and the repeated reading while trainings run. */
import { api, Problem } from "../core/api.js";
import { ask, h, progressBar, setBar, setText, toast } from "../core/dom.js";
import { duration, percent } from "../core/format.js";

const QUICK = 1500; // ms between two requests while something runs
const SLOW = 15_000;
const ACTIONS = {
  cancel: { label: "Cancel", done: "The training ends within seconds; it can be resumed." },
  resume: { label: "Resume", done: "The training continues from its checkpoint." },
  delete: {
    label: "Delete",
    done: "The training was deleted.",
    question: {
      title: "Delete the training?",
      text: "Its checkpoint and weights are removed. This cannot be undone.",
      confirm: "Delete it",
      danger: true,
    },
  },
};

async function act(name, training, changed) {
  const { question, done } = ACTIONS[name];
  if (question && (await ask(question)) === null) return;
  try {
    if (name === "delete") await api(`trainings/${training.id}/`, { method: "DELETE" });
    else await api(`trainings/${training.id}/${name}/`, { method: "POST", body: {} });
    toast(done);
    changed(name);
  } catch (error) {
    toast(
      error instanceof Problem ? error.message : "The server could not be reached; nothing was changed. Try again.",
      "bad",
    );
  }
}

export function actionButtons(training, changed, small = true) {
  return training.actions.map((name) =>
    h(
      "button",
      {
        type: "button",
        class: `button${small ? " small" : ""}${name === "delete" ? " danger" : ""}`,
        dataset: { action: name },
        onclick: () => act(name, training, changed),
      },
      ACTIONS[name].label,
    ),
  );
}

/** A training as a row. `show` writes only what changed. */
class TrainingRow {
  constructor(training, changed) {
    this.changed = changed;
    const value = (name) => (this[name] = h("span", { class: "value" }));
    const labelled = (label, ...content) => h("div", {}, h("span", { class: "label" }, label), ...content);
    this.link = h("a", { href: `/trainings/${training.id}/` }, `Candidate ${training.candidate.number}`);
    this.chip = h("span", { class: "chip" });
    this.about = h("div", { class: "about" });
    this.bar = progressBar(`Progress of the training of candidate ${training.candidate.number}`);
    this.actions = h("div", { class: "actions" });
    this.note = h("p", { class: "note" });
    this.element = h(
      "article",
      { class: "training-row", dataset: { id: String(training.id) } },
      h("div", { class: "head" }, h("div", { class: "title row" }, this.link), this.about),
      h("div", {}, this.chip),
      labelled("Epochs", value("epochs"), this.bar),
      labelled("Validation", value("valid")),
      labelled("Test", value("test")),
      this.actions,
      this.note,
    );
  }

  show(training) {
    this.chip.dataset.status = training.status;
    setText(this.chip, training.status);
    setText(this.about, [training.candidate.search_name, training.described, training.data].join(" · "));
    const left = training.eta_seconds === null ? "" : `, ${duration(training.eta_seconds)} left`;
    setText(this.epochs, `${training.epoch} of ${training.epochs}${left}`);
    setText(this.valid, percent(training.valid_accuracy ?? training.best_valid_accuracy));
    setText(this.test, percent(training.test_accuracy));
    setBar(this.bar, training.progress);
    this.note.hidden = !(training.error || training.waiting);
    this.note.classList.toggle("bad", Boolean(training.error));
    setText(this.note, training.error || training.waiting);
    const key = training.actions.join();
    if (this.key !== key) this.actions.replaceChildren(...actionButtons(training, this.changed));
    this.key = key;
  }
}

/** Shows exactly these trainings as rows in `place`, in their order. Rows that were there before are kept. */
export function showRows(place, rows, trainings, changed) {
  const shown = new Set(trainings.map(({ id }) => id));
  for (const [id, row] of rows) {
    if (shown.has(id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  trainings.forEach((training, at) => {
    let row = rows.get(training.id);
    if (!row) rows.set(training.id, (row = new TrainingRow(training, changed)));
    row.show(training);
    if (place.children[at] !== row.element) place.insertBefore(row.element, place.children[at] ?? null);
  });
}

/**
 * Runs `load` at intervals: short ones while it resolves to true because something runs, else long ones. It waits in a
 * hidden tab, and ends with a 404 or when `place` has left the page. Returns a function that runs it at once.
 */
export function follow(load, { failed = () => {}, place = document.body } = {}) {
  let timer = null;
  let loading = false;
  let again = false;
  const run = async () => {
    clearTimeout(timer);
    if (!place.isConnected) return;
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    let busy;
    try {
      busy = document.hidden ? false : await load();
      failed(null);
    } catch (error) {
      failed(error);
      if (error.status === 404) return; // deleted: `loading` stays true, so that it never runs again
      busy = error instanceof TypeError;
    }
    loading = false;
    timer = setTimeout(run, again ? 0 : busy ? QUICK : SLOW);
    again = false;
  };
  document.addEventListener("visibilitychange", () => document.hidden || run());
  run();
  return run;
}
