/* The list of full trainings, followed live. */
import { api } from "../core/api.js";
import { setText } from "../core/dom.js";
import { UrlState } from "../core/state.js";
import { trainingIsActive } from "../core/status.js";
import { follow, showRows } from "./parts.js";

const state = new UrlState({ status: "" });
const part = (name) => document.querySelector(`[data-${name}]`);
const rows = new Map();
let extra = 0; // pages after the first that the user asked for

async function load() {
  let page = await api("trainings/", { params: { status: state.get("status") } });
  const found = [...page.results];
  for (let at = 0; at < extra && page.next; at += 1) {
    const address = new URL(page.next, location.href);
    page = await api(address.pathname + address.search);
    found.push(...page.results);
  }
  const filtered = Boolean(state.get("status"));
  part("list").hidden = !found.length;
  part("empty").hidden = found.length > 0 || filtered;
  part("none").hidden = found.length > 0 || !filtered;
  part("more").hidden = !page.next;
  showRows(part("list"), rows, found, () => again());
  return found.some(trainingIsActive);
}

function failed(error) {
  part("error").hidden = !error;
  setText(part("error").firstElementChild, error ? `The trainings could not be read: ${error.message}` : "");
}

const again = follow(load, { failed });
state.bind(document.querySelector("[name=status]"), "status", () => again());
part("more").addEventListener("click", () => {
  extra += 1;
  again();
});
