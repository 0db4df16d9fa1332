/* Elements, messages and questions. Text is always inserted as text, so nothing that a user typed can become markup. */

import { at } from "./paths.js";

/**
 * An element: `h("a", {href, class, dataset, onclick}, ...children)`. Children that are null or false are left out, and
 * paths get the app's prefix.
 */
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

/** The label of an algorithm or estimate; the page carries the labels as JSON. */
export function kindLabel(kind) {
  labels ??= JSON.parse(document.getElementById("kind-labels").textContent);
  return labels[kind] ?? kind;
}

export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** Calls `see(true)` when an element comes into view or near it, and `see(false)` when it leaves. */
export function watchView(element, see) {
  new IntersectionObserver((entries) => see(entries.at(-1).isIntersecting), { rootMargin: "200px" }).observe(element);
}

/** Fills a horizontal bar to `share`, from 0 to 1. */
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

/** Shows a message in the corner for a few seconds. Errors stay until the user closes them. */
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
 * Opens a dialog that asks for confirmation, and for the values of `inputs`.
 * Resolves to these values by name, or to null when the user goes back.
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

/** Saves rows as a CSV file. Text that a spreadsheet would run as a formula gets an apostrophe in front. */
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
