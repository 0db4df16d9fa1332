/* Elements, messages and questions. Text only ever enters as text, so nothing a user typed can become markup. */

import { at } from "./paths.js";

/** An element: `h("a", {href, class, dataset, onclick}, ...children)`; null and false children are left out, paths get the app's prefix. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name in element && typeof value === "boolean") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, name === "href" ? at(value) : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A definition list from `[[term, value], ...]`; values are text or elements. */
export function facts(pairs, className = "facts") {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: className }, ...shown.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

let labels = null;

/** The label of an algorithm or estimate, which the page carries as data. */
export function kindLabel(kind) {
  labels ??= JSON.parse(document.getElementById("kind-labels").textContent);
  return labels[kind] ?? kind;
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Tells `see(true or false)` whenever an element comes near the view or leaves it. */
export function watchView(element, see) {
  new IntersectionObserver((entries) => see(entries.at(-1).isIntersecting), { rootMargin: "200px" }).observe(element);
}

/** A horizontal bar filled to `share` (0..1). */
export function setBar(bar, share) {
  const shown = Math.max(0, Math.min(1, share ?? 0));
  if (bar.share === shown) return;
  bar.share = shown;
  bar.firstElementChild.style.transform = `scaleX(${shown})`;
  bar.setAttribute("aria-valuenow", String(Math.round(shown * 100)));
}

export function progressBar(label) {
  const attributes = {
    class: "bar",
    role: "progressbar",
    "aria-label": label,
    "aria-valuemin": "0",
    "aria-valuemax": "100",
  };
  return h("div", attributes, h("i"));
}

/** A message at the corner for a few seconds; errors stay until they are closed. */
export function toast(message, kind = "good") {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  const close = h("button", { class: "button quiet small", type: "button", onclick: () => box.remove() }, "Close");
  const box = h("div", { class: `banner ${kind}` }, h("p", {}, message), close);
  place.append(box);
  if (kind === "good") setTimeout(() => box.remove(), 5000);
}

/**
 * Asks before something that cannot be taken back, and for the numbers it needs.
 * Resolves to null when the user thinks better of it, else to the values of `inputs` by name.
 */
export function ask({ title, text, confirm, danger = false, inputs = [] }) {
  return new Promise((resolve) => {
    const fields = inputs.map(({ name, label, ...rest }) =>
      h(
        "div",
        { class: "field" },
        h("label", { for: `ask-${name}` }, label),
        h("input", { id: `ask-${name}`, name, ...rest }),
      ),
    );
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "ask-title" }, title),
      h("p", { class: "muted" }, text),
      ...fields,
      h(
        "div",
        { class: "row" },
        h("button", { class: "button", value: "", formnovalidate: "" }, "Back"),
        h("button", { class: danger ? "button danger" : "button primary", value: "yes" }, confirm),
      ),
    );
    const dialog = h("dialog", { class: "modal", "aria-labelledby": "ask-title" }, form);
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? Object.fromEntries(new FormData(form)) : null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Saves rows as a CSV file; an apostrophe is put before text that a spreadsheet would run as a formula. */
export function saveRows(filename, rows) {
  saveText(filename, rows.map((row) => row.map(csvCell).join()).join("\n"));
}

function csvCell(value) {
  const plain = String(value ?? "");
  const text = /^[=+\-@\t\r]/.test(plain) && Number.isNaN(Number(plain)) ? `'${plain}` : plain;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Saves text as a file on the user's machine. */
export function saveText(filename, text, type = "text/csv") {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: filename }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
