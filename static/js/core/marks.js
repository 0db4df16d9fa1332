/* A user's marks on a candidate or search: pin, hide, tags, and a note in Markdown that the server renders. */
import { api } from "./api.js";
import { h, toast } from "./dom.js";

/** A node from markup that the server made safe. */
function rendered(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return h("div", { class: "prose" }, template.content);
}

/** Sends changes and passes the answer to `changed`, or shows the error. Returns whether the server accepted them. */
async function send(path, body, changed) {
  try {
    changed(await api(path, { method: "PATCH", body }));
    return true;
  } catch (error) {
    toast(error.status ? error.message : "The server could not be reached; nothing was changed. Try again.", "bad");
    return false;
  }
}

/** A star button that pins a candidate, or removes the pin. */
export function pinOf(candidate) {
  const button = h("button", { class: "pin", type: "button", "aria-label": `Pin candidate ${candidate.number}` });
  const show = () => {
    button.textContent = candidate.pinned ? "★" : "☆";
    button.setAttribute("aria-pressed", String(candidate.pinned));
  };
  button.addEventListener("click", () =>
    send(
      `candidates/${candidate.id}/`,
      { pinned: !candidate.pinned },
      ({ pinned }) => ((candidate.pinned = pinned), show()),
    ),
  );
  show();
  return button;
}

/** A note with a button that opens a text area. The typed text stays there until the server has saved it. */
function noteOf(path, row, changed) {
  const shown = h("div", {}, row.note ? rendered(row.note_html) : h("p", { class: "muted" }, "No note yet."));
  const edit = h(
    "button",
    { class: "button small", type: "button", onclick: () => toggle(true) },
    row.note ? "Edit the note" : "Write a note",
  );
  const area = h("textarea", { rows: "6", maxlength: "10000", "aria-label": "Note in Markdown" });
  const save = h("button", { class: "button small primary", type: "submit" }, "Save");
  const back = h("button", { class: "button small", type: "button", onclick: () => toggle(false) }, "Back");
  const submit = (event) => {
    event.preventDefault();
    send(path, { note: area.value }, changed);
  };
  const form = h(
    "form",
    { class: "stack", onsubmit: submit },
    area,
    h("div", { class: "row" }, save, back, h("span", { class: "muted small" }, "Markdown")),
  );
  const toggle = (open) => {
    form.hidden = !open;
    shown.hidden = edit.hidden = open;
    if (!open) return;
    area.value = row.note;
    area.focus();
  };
  form.hidden = true;
  return h("div", { class: "stack" }, shown, h("div", { class: "row" }, edit), form);
}

/** Shows all marks of a candidate. */
export function candidateMarks(place, candidate, changed = () => {}) {
  const path = `candidates/${candidate.id}/`;
  const again = (answer) => {
    candidateMarks(place, answer, changed);
    changed(answer);
  };
  const toggle = (name, on, off) =>
    h(
      "button",
      {
        class: "button small",
        type: "button",
        "aria-pressed": String(candidate[name]),
        dataset: { mark: name },
        onclick: () => send(path, { [name]: !candidate[name] }, again),
      },
      candidate[name] ? off : on,
    );
  const leave = (tag) => send(path, { tags: candidate.tags.filter((name) => name !== tag) }, again);
  const tags = candidate.tags.map((tag) =>
    h(
      "span",
      { class: "tag" },
      tag,
      h("button", { type: "button", "aria-label": `Remove the tag ${tag}`, onclick: () => leave(tag) }, "×"),
    ),
  );
  const input = h("input", { class: "compact", maxlength: "50", placeholder: "Add a tag", "aria-label": "Add a tag" });
  const submit = (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name) send(path, { tags: [...candidate.tags, name] }, again);
  };
  place.replaceChildren(
    h(
      "div",
      { class: "row" },
      toggle("pinned", "Pin", "Unpin"),
      toggle("hidden", "Hide from plots and lists", "Show again"),
    ),
    h("div", { class: "row" }, ...tags, h("form", { onsubmit: submit }, input)),
    noteOf(path, candidate, again),
  );
}

/** Shows the note of a search. */
export function searchNote(place, search, changed = () => {}) {
  const again = (answer) => {
    searchNote(place, answer, changed);
    changed(answer);
  };
  place.replaceChildren(noteOf(`searches/${search.id}/`, search, again));
}
