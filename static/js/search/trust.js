/* The trust card: how well the scores agree with the truths that are known. */
import { h } from "../core/dom.js";
import { number } from "../core/format.js";
import { at } from "../core/paths.js";

/** Fills `place` from an answer of the search's `trust/`. */
export function showTrust(place, search, { sources, sentence, noise }) {
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
      ...sources.map(source),
      seeds && h("p", { class: "muted small" }, seeds),
      h("div", { class: "row" }, start),
    ].filter(Boolean),
  );
}
