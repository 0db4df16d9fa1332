/* The head of the search page: status, actions, key figures, failures, and progress by layer. */
import { showActions } from "../core/actions.js";
import { h, kindLabel, progressBar, setBar, setText } from "../core/dom.js";
import { ago, duration, evaluated, measure, number, optimumOf, plural } from "../core/format.js";
import { metricOf } from "../core/metrics.js";
import { endedWithoutResult, searchIsActive, showStatus } from "../core/status.js";

/** Why the search has no best network. */
function noBest(search) {
  if (!search.scored) return "none scored yet";
  return endedWithoutResult(search) ? "no network within the limits" : "none within the limits yet";
}

function kpis(search) {
  const { best } = search;
  const left =
    search.budget.seconds === null
      ? null
      : `${duration(search.charged_seconds)} of ${duration(search.budget.seconds)} charged`;
  const decided = best && best.final_score !== null; // by the final estimate, whose scores have a scale of their own
  const shown = decided
    ? [
        [
          "Best final score",
          number(best.final_score, 5),
          `candidate ${best.number}, best of ${plural(search.finals, "finalist")}`,
        ],
        ["Its first score", number(best.score, 5), "made it a finalist"],
      ]
    : [["Best score", number(best?.score, 5), best ? `candidate ${best.number}` : noBest(search)]];
  if (best && best.truth !== null) {
    const optimum = search.table_optimum ? optimumOf(search.table_optimum) : "of the best by score";
    shown.push(["Its truth", number(best.truth, 5), optimum]);
  } else if (best && best.valid_accuracy !== null) {
    shown.push(["Its validation accuracy", `${number(best.valid_accuracy)} %`, "held-out part of the training images"]);
  }
  if (best)
    shown.push([
      `Its cost`,
      measure(best.costs[search.cost_metric], search.cost_metric),
      metricOf(search.cost_metric).label.toLowerCase(),
    ]);
  shown.push(
    [
      "Evaluated",
      evaluated(search),
      search.budget.evaluations === search.bound ? "of the budget" : "of all that the algorithm can try",
    ],
    [
      "Feasible",
      number(search.feasible),
      search.scored
        ? `${Math.round((100 * search.feasible) / search.scored)} % of the scored networks`
        : "of the scored networks",
    ],
    ["Failed", number(search.failed), search.failed ? "reasons above" : "none"],
    ["From cache", number(search.from_cache), "reused scores"],
    [
      "Rate",
      search.rate_per_minute === null ? "–" : `${number(search.rate_per_minute, 3)} / min`,
      left ?? `${duration(search.charged_seconds)} charged`,
    ],
    [
      "Time left",
      searchIsActive(search) ? duration(search.eta_seconds) : "–",
      search.finished_at
        ? `ended ${ago(search.finished_at)}`
        : search.started_at
          ? `started ${ago(search.started_at)}`
          : "not started",
    ],
  );
  return shown;
}

function layerRow({ name }) {
  return h("div", {}, h("span", { title: name }, name), progressBar(name), h("span", { class: "num" }));
}

export class Header {
  constructor(changed) {
    this.changed = changed;
    this.bar = progressBar("Progress of the search");
    document.querySelector("[data-progress]").append(this.bar);
    this.kpis = document.querySelector("[data-kpis]");
    this.banner = document.querySelector("[data-banner]");
    this.nearest = document.querySelector("[data-nearest]");
    this.failures = document.querySelector("[data-failures]");
    this.layers = document.querySelector("[data-layers]");
    this.tiles = new Map();
  }

  show(search) {
    showStatus(document.querySelector("[data-chip]"), search);
    const progress = search.evaluated ? `(${Math.round(100 * (search.progress ?? 0))} %) ` : "";
    const title = `${progress}${search.name} · nasweb`;
    if (document.title !== title) document.title = title;
    setText(
      document.querySelector("[data-about]"),
      [search.space.label, search.dataset, kindLabel(search.algorithm), kindLabel(search.estimator)]
        .filter(Boolean)
        .join(" · "),
    );
    showActions(document.querySelector("[data-actions]"), search, this.changed);
    setBar(this.bar, search.progress);
    this.showKpis(kpis(search));
    this.showBanners(search);
    this.showLayers(search);
    document.querySelector("[data-with-front]").hidden = !search.feasible;
    document.querySelector("[data-without-front]").hidden = Boolean(search.feasible);
  }

  showKpis(shown) {
    if (shown.length !== this.tiles.size) {
      this.tiles.clear();
      this.kpis.replaceChildren();
    }
    for (const [name, value, note] of shown) {
      let tile = this.tiles.get(name);
      if (!tile) {
        tile = { value: h("span"), note: h("small") };
        this.tiles.set(name, tile);
        this.kpis.append(h("div", { class: "kpi" }, h("dt", {}, name), h("dd", {}, tile.value, tile.note)));
      }
      setText(tile.value, value);
      setText(tile.note, note);
    }
  }

  showBanners(search) {
    const serious = search.status === "failed";
    this.banner.hidden = !search.status_reason || Boolean(search.nearest); // the reason stands in the other banner
    const good = search.status === "finished" && !endedWithoutResult(search);
    this.banner.className = `banner ${serious ? "bad" : good ? "good" : "warn"}`;
    setText(this.banner.firstElementChild, search.status_reason);
    this.showNearest(search);
    const failures = search.failures ?? [];
    this.failures.hidden = !failures.length;
    if (!failures.length) return;
    const key = JSON.stringify([search.failed, failures]);
    if (key === this.failed) return;
    this.failed = key;
    const items = failures.map((failure) =>
      h("li", {}, `#${failure.number} `, h("span", { class: "mono" }, failure.arch), `: ${failure.error}`),
    );
    const latest =
      search.failed > failures.length ? `; the latest ${failures.length} and the reasons` : "; the reasons";
    setText(
      this.failures.querySelector("summary"),
      `${plural(search.failed, "candidate")} could not be scored${latest}`,
    );
    this.failures.querySelector("ul").replaceChildren(...items);
  }

  /** If a search ended without a network within its limits, names the closest one and what the user can do. */
  showNearest({ id, nearest, status_reason: reason }) {
    this.nearest.hidden = !nearest;
    if (!nearest || this.nearestId === nearest.id) return;
    this.nearestId = nearest.id;
    const advice =
      "Clone the search to raise the limits, or to fit the later layers to them where the form offers it. " +
      "More budget helps only if networks of lower cost are left to try.";
    this.nearest.replaceChildren(
      h("p", {}, `${reason[0].toUpperCase()}${reason.slice(1)}. ${nearest.words}`),
      h("p", {}, advice),
      h(
        "div",
        { class: "row" },
        h("a", { class: "button small", href: `/candidates/${nearest.id}/` }, `Look at candidate ${nearest.number}`),
        h("a", { class: "button small", href: `/searches/new/?clone=${id}` }, "Clone the search and change it"),
      ),
    );
  }

  showLayers(search) {
    const layers = search.layers_progress ?? [];
    this.layers.closest("section").hidden = !layers.some((layer) => layer.scored);
    const most = Math.max(1, ...layers.map((layer) => layer.scored));
    if (this.layers.childElementCount !== layers.length) this.layers.replaceChildren(...layers.map(layerRow));
    layers.forEach((layer, at) => {
      const [, bar, count] = this.layers.children[at].children;
      setBar(bar, layer.scored / most);
      setText(count, number(layer.scored));
      const label = `${layer.name}: ${layer.scored} scored`;
      if (bar.getAttribute("aria-label") !== label) bar.setAttribute("aria-label", label);
    });
  }
}
