/* The trust card: how well the scores agree with the truths that are known. */
import { api } from "../core/api.js";
import { ask, h, toast } from "../core/dom.js";
import { number } from "../core/format.js";
import { at } from "../core/paths.js";
import { sampleCost, sampleOf, sampleSize } from "./sample.js";

/** What the scores are beside a baseline, by verdict. */
const BESIDE = { better: "better", worse: "worse", same: "the same", unclear: "not told apart", unknown: "–" };

/** The button that scores random networks, after a question that states the cost; null where it would give no rank. */
function sampleButton(search) {
  if (!search.scored || !sampleSize(search.space)) return null;
  const networks = number(sampleSize(search.space));
  const start = async () => {
    const title = `Score ${networks} random networks?`;
    if (!(await ask({ title, text: sampleCost(search), confirm: "Score them" }))) return;
    try {
      const made = await api("searches/", { method: "POST", body: sampleOf(search) });
      location.assign(at(`/searches/${made.id}/`));
    } catch (error) {
      toast(error.status ? error.message : "The server could not be reached. Nothing was started. Try again.", "bad");
    }
  };
  return h(
    "button",
    { class: "button small", type: "button", onclick: start },
    `Rank scores among ${networks} random networks`,
  );
}

/** Fills `place` from an answer of the search's `trust/`. */
export function showTrust(place, search, { sources, sentence, noise, random }) {
  const share = (value) => Math.max(0, Math.min(1, (value + 1) / 2));
  const source = (row) => {
    const bar = h(
      "div",
      {
        class: "trust-bar",
        role: "img",
        "aria-label": `tau ${number(row.tau, 2)}, from ${number(row.low, 2)} to ${number(row.high, 2)}`,
      },
      h("i"),
      h("b"),
    );
    bar.style.setProperty("--low", share(row.low));
    bar.style.setProperty("--high", share(row.high));
    bar.style.setProperty("--at", share(row.tau));
    const figures = (of) => [of.tau_best_tenth, of.ndcg_top].map((value) => number(value, 2));
    const line = (name, tau, of, beside) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        ...[number(tau, 2), ...figures(of)].map((cell) => h("td", { class: "right" }, cell)),
        h("td", {}, beside),
      );
    const heads = ["Ranked by", "Tau", "Best tenth", "nDCG, top tenth", "Scores are"];
    const table = h(
      "div",
      { class: "table-wrap", tabindex: "0", role: "region", "aria-label": "Scores and baselines" },
      h(
        "table",
        { class: "data" },
        h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)))),
        h(
          "tbody",
          {},
          line("The score", row.tau, row, ""),
          ...row.baselines.map((count) => line(count.label, count.tau?.value, count, BESIDE[count.verdict])),
        ),
      ),
    );
    const words = row.study ? h("a", { href: at(`/studies/${row.study}/`) }, row.description) : row.description;
    return h(
      "div",
      { class: "trust-row" },
      h("strong", {}, number(row.tau, 2)),
      bar,
      h(
        "span",
        { class: "muted small" },
        `${number(row.low, 2)} to ${number(row.high, 2)}, ${number(row.count)} networks: `,
        words,
      ),
      table,
    );
  };
  const start = h(
    "a",
    {
      class: "button small",
      href: at(`/studies/?search=${search.id}&estimate=${encodeURIComponent(search.estimator)}`),
    },
    "Start a study",
  );
  const seeds = noise
    ? h(
        "p",
        { class: "muted small" },
        `Differences of score up to ${number(noise.limit, 3)} are within the noise: ${noise.words}.`,
      )
    : null;
  place.replaceChildren(
    ...[
      h("p", {}, sentence),
      random && h("p", {}, `The score of the best network, candidate ${random.number}, is ${random.words}.`),
      ...sources.map(source),
      seeds && h("p", { class: "muted small" }, seeds),
      h("div", { class: "row" }, ...[start, random ? null : sampleButton(search)].filter(Boolean)),
    ].filter(Boolean),
  );
}
