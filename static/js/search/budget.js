/* The budget card: which network is best at any cost within the search's range, and how its neighbours differ. */
import { api } from "../core/api.js";
import { h, setText } from "../core/dom.js";
import { measure, number, plural } from "../core/format.js";
import { metricOf } from "../core/metrics.js";

const STEPS = 1000;
const PAUSE = 60; // ms between two requests while the slider moves

export class BudgetCard {
  /**
   * `axes()` gives the metric and the value to choose by, `load()` reads the card again, and `chosen({metric, cost})`
   * shows the budget in the plot.
   */
  constructor(root, state, { axes, load, chosen }) {
    Object.assign(this, { root, state, axes, load, chosen, found: null });
    this.range = root.querySelector("input[type=range]");
    this.exact = root.querySelector("input[type=number]");
    this.place = root.querySelector("[data-answer]");
    this.range.addEventListener("input", () => this.move(this.fromSlider(Number(this.range.value))));
    this.exact.addEventListener("change", () => this.exact.value && this.move(Number(this.exact.value)));
  }

  fromSlider(step) {
    const { low, high } = this.found;
    if (step >= STEPS) return null; // the whole range, also when it grows
    return low + (step / STEPS) * (high - low);
  }

  move(budget) {
    this.state.set("budget", budget === null ? "" : Number(budget.toPrecision(7)));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), PAUSE);
  }

  /** Resolves to a function that shows the answer, or to nothing when another request came in between. */
  async read(address) {
    this.request?.abort();
    this.request = new AbortController();
    Object.assign(this, this.axes());
    const params = { metric: this.metric, value: this.value, cost: this.state.get("budget") };
    try {
      const found = await api(address, { params, signal: this.request.signal });
      return () => this.show(found);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      return undefined;
    }
  }

  show(found) {
    this.found = found;
    this.metric = found.metric;
    this.root.hidden = found.low === null;
    if (found.low === null) return;
    const span = found.high - found.low;
    this.range.max = String(STEPS);
    this.range.disabled = !span;
    if (document.activeElement !== this.range)
      this.range.value = String(span ? Math.round(((found.cost - found.low) / span) * STEPS) : STEPS);
    if (document.activeElement !== this.exact) this.exact.value = String(Number(found.cost.toPrecision(5)));
    this.range.setAttribute("aria-valuetext", measure(found.cost, this.metric));
    setText(this.root.querySelector("[data-low]"), measure(found.low, this.metric));
    setText(this.root.querySelector("[data-high]"), measure(found.high, this.metric));
    setText(this.root.querySelector("[data-unit]"), metricOf(this.metric).unit || metricOf(this.metric).label);
    const key = JSON.stringify([
      found.best?.id,
      found.cheaper?.id,
      found.dearer?.id,
      found.within,
      found.tie,
      found.crowned,
      this.metric,
      this.value,
    ]);
    if (key !== this.key) this.place.replaceChildren(...this.answer(found));
    this.key = key;
    this.chosen({ metric: this.metric, cost: this.state.get("budget") ? found.cost : null });
  }

  answer({ best, cheaper, dearer: costlier, within, tie, crowned: searchBest }) {
    if (!best)
      return [
        h(
          "p",
          { class: "muted" },
          `No feasible network fits this budget; the cheapest costs ${measure(costlier?.cost, this.metric)}.`,
        ),
      ];
    const among = `best of ${plural(within, "feasible network")} within the budget`;
    const head = h(
      "div",
      { class: "budget-best" },
      h(
        "p",
        { class: "budget-value num" },
        h("strong", {}, number(best.value, 5)),
        h(
          "span",
          { class: "muted" },
          `${metricOf(this.value).label.toLowerCase()}, ${measure(best.cost, this.metric)}`,
        ),
      ),
      h(
        "p",
        {},
        h("a", { href: `/candidates/${best.id}/` }, `Candidate ${best.number}`),
        h("span", { class: "muted" }, `, ${among}`),
        best.near_tie ? h("span", { class: "chip" }, "near tie") : null,
      ),
      h("p", { class: "mono small clip", title: best.arch }, best.arch),
      best.near_tie
        ? h(
            "p",
            { class: "muted small" },
            `Near tie: better than the next cheaper network by at most ${number(tie.limit, 3)}, ${tie.words}.`,
          )
        : null,
      searchBest ? this.searchBest(searchBest) : null,
    );
    return [
      head,
      h(
        "div",
        { class: "budget-sides" },
        this.side("Next cheaper", cheaper, best),
        this.side("Next more expensive", costlier, best),
      ),
    ];
  }

  /** Names the search's best network, if it is not the one that the card shows. */
  searchBest({ id, number: at, cost: amount, by_finals: decided }) {
    const why = decided
      ? "final scores decided between the finalists"
      : `its ${metricOf(this.value).label.toLowerCase()} is the same, at a cost of ${measure(amount, this.metric)}`;
    return h(
      "p",
      { class: "muted small" },
      "The search's best is ",
      h("a", { href: `/candidates/${id}/` }, `candidate ${at}`),
      `: ${why}.`,
    );
  }

  side(title, other, best) {
    if (!other)
      return h(
        "div",
        {},
        h("h3", {}, title),
        h(
          "p",
          { class: "muted small" },
          title.endsWith("cheaper")
            ? "This is the cheapest network on the front."
            : "This is the best network on the front.",
        ),
      );
    const signed = (amount, text) => `${amount < 0 ? "−" : "+"}${text}`;
    const extra = other.cost - best.cost;
    const gain = other.value - best.value;
    const rows = other.differences.map(({ layer, here, there }) =>
      h(
        "li",
        {},
        h("span", { class: "muted" }, `${layer} `),
        h("span", { class: "mono" }, here),
        " → ",
        h("span", { class: "mono" }, there),
      ),
    );
    return h(
      "div",
      {},
      h("h3", {}, title),
      h(
        "p",
        { class: "small num" },
        h("a", { href: `/candidates/${other.id}/` }, `#${other.number}`),
        ` ${signed(extra, measure(Math.abs(extra), this.metric))}, ${signed(gain, number(Math.abs(gain), 3))} ` +
          metricOf(this.value).label.toLowerCase(),
      ),
      h("ul", { class: "differences small" }, ...rows),
    );
  }
}
