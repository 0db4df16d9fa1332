/* Buttons for the actions on a search that the server allows now. */
import { api, Problem } from "./api.js";
import { ask, h, toast } from "./dom.js";
import { at } from "./paths.js";

const ACTIONS = {
  pause: { label: "Pause", done: "No new evaluations are started." },
  resume: { label: "Resume", done: "The search continues.", primary: true },
  stop: {
    label: "Stop",
    done: "The search ends when the running evaluations are finished.",
    question: {
      title: "Stop the search?",
      text: "Running evaluations are finished, and all results are kept. You can extend the search later.",
      confirm: "Stop it",
    },
  },
  cancel: {
    label: "Cancel",
    done: "The search is being cancelled.",
    question: {
      title: "Cancel the search?",
      text: "Running evaluations are dropped within seconds. The results so far are kept.",
      confirm: "Cancel it",
      danger: true,
    },
  },
  retry: { label: "Retry failed", done: "Failed networks are scored again." },
  extend: { label: "Extend budget", done: "The budget was extended.", ask: true },
  clone: { label: "Clone", clone: true },
  repeat: { label: "Repeat with other seeds", repeat: true },
  delete: {
    label: "Delete",
    done: "The search was deleted.",
    question: {
      title: "Delete the search?",
      text: "Its candidates and events are removed. This cannot be undone.",
      confirm: "Delete it",
      danger: true,
    },
  },
};
const FIRST = ["resume", "pause", "stop", "extend"];

async function extension(search) {
  const inputs = [
    { name: "evaluations", label: "Evaluations to add", type: "number", min: "1", step: "1", value: "50" },
    { name: "seconds", label: "Seconds to add", type: "number", min: "1", step: "any" },
  ].filter(({ name }) => search.budget[name] !== null); // only a limit can be raised
  const given = await ask({
    title: "Extend the budget",
    text:
      inputs.length > 1
        ? "The numbers are added to the budget. Leave a field empty to keep its limit."
        : "The number is added to the budget.",
    confirm: "Extend",
    inputs,
  });
  if (given === null) return null;
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => [name, Number(value)]),
  );
}

async function repetition() {
  const given = await ask({
    title: "Repeat with other seeds",
    text: "This starts new searches with the same settings and the next seeds, and compares them by mean and spread.",
    confirm: "Start them",
    inputs: [
      {
        name: "count",
        label: "Number of new searches",
        type: "number",
        min: "1",
        max: "11",
        step: "1",
        value: "2",
        required: "",
      },
    ],
  });
  return given && { count: Number(given.count) };
}

/** Carries out an action. `changed(name)` runs when the server has accepted it. */
async function act(name, search, changed) {
  const action = ACTIONS[name];
  let body = {};
  if (action.clone) {
    location.href = at(`/searches/new/?clone=${search.id}`);
    return;
  }
  if (action.ask) body = await extension(search);
  else if (action.repeat) body = await repetition();
  else if (action.question) body = await ask(action.question);
  if (body === null) return;
  try {
    const path = `searches/${search.id}/`;
    const answer =
      name === "delete"
        ? await api(path, { method: "DELETE" })
        : await api(`${path}${name}/`, { method: "POST", body });
    if (action.repeat) {
      location.href = at(`/compare/?searches=${[search, ...answer].map(({ id }) => id).join()}`);
      return;
    }
    toast(action.done);
    changed(name);
  } catch (error) {
    if (error instanceof Problem) toast(error.message, "bad");
    else toast("The server could not be reached; nothing was changed. Try again.", "bad");
  }
}

/** Builds the buttons in `place` again when the allowed actions changed. All but the first `visible` are in a menu. */
export function showActions(place, search, changed, { visible = 3, small = false } = {}) {
  const allowed = (search.actions ?? []).filter((name) => name in ACTIONS);
  const key = allowed.join();
  if (place.dataset.actions === key) return;
  place.dataset.actions = key;
  const size = small ? " small" : "";
  const button = (name, extra = "") => {
    const { label, primary, question } = ACTIONS[name];
    const look = question?.danger ? " danger" : primary && !extra ? " primary" : "";
    return h(
      "button",
      {
        type: "button",
        class: `button${size}${look}${extra}`,
        dataset: { action: name },
        onclick: () => act(name, search, changed),
      },
      label,
    );
  };
  const first = FIRST.filter((name) => allowed.includes(name)).slice(0, visible);
  const rest = Object.keys(ACTIONS).filter((name) => allowed.includes(name) && !first.includes(name));
  const menu = h(
    "details",
    { class: "menu" },
    h("summary", { class: `button${size}`, "aria-label": `More actions for ${search.name}` }, "More"),
    h("div", {}, ...rest.map((name) => button(name, " in-menu"))),
  );
  place.replaceChildren(...first.map((name) => button(name)), ...(rest.length ? [menu] : []));
}
