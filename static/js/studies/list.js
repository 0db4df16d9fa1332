/* The list of studies. */
import { api } from "../core/api.js";
import { h, progressBar, setBar } from "../core/dom.js";
import { ago, plural } from "../core/format.js";
import { at } from "../core/paths.js";

const place = document.querySelector("[data-list]");

function row(study) {
  const bar = progressBar(`Progress of ${study.name}`);
  setBar(bar, study.progress);
  return h(
    "article",
    { class: "study-row" },
    h(
      "div",
      { class: "title" },
      h("a", { href: at(`/studies/${study.id}/`) }, study.name),
      h("span", { class: "chip", dataset: { status: study.status } }, study.status),
    ),
    h("div", { class: "muted small" }, `${plural(study.arms.length, "arm")} · created ${ago(study.created_at)}`),
    bar,
  );
}

const { results } = await api("studies/", { params: { page_size: 200 } });
place.hidden = !results.length;
place.replaceChildren(...results.map(row));
