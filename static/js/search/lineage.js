/* The panel of a bucket: its best network, and the choices that led to it from the first layer on. */
import { api } from "../core/api.js";
import { facts, h } from "../core/dom.js";
import { measure, number, plural } from "../core/format.js";

const SHOWN = 12; // networks of a bucket that are listed

/** The ancestors as links, the first layer on top. `lineage` is the API's: it begins with the candidate itself. */
export function lineageList(lineage) {
  return h(
    "ol",
    { class: "lineage" },
    ...lineage
      .toReversed()
      .map((step) =>
        h(
          "li",
          {},
          h("a", { href: `/candidates/${step.id}/` }, `#${step.number}`),
          ` ${step.layer === null ? "" : `${step.layer_name}, `}score ${number(step.score, 5)}`,
          h("div", { class: "mono muted" }, step.arch),
        ),
      ),
  );
}

export class LineagePanel {
  constructor(search) {
    this.search = search;
    this.dialog = h("dialog", { class: "drawer", "aria-label": "Bucket" });
    this.dialog.addEventListener("keydown", (event) => event.key === "Escape" && this.dialog.close());
    document.body.append(this.dialog);
  }

  /** Shows a bucket. `back` holds the parameters of a replay, whose moment the grid shows. */
  async open(bucket, layer, metric, back = {}) {
    const close = h(
      "button",
      { class: "button quiet small", type: "button", onclick: () => this.dialog.close() },
      "Close",
    );
    const kept = h("span", {}, plural(bucket.kept, "network"));
    const place = h("div", { class: "muted" }, "Looking up its lineage …");
    const content = h(
      "div",
      {},
      h("div", { class: "drawer-head" }, h("h2", {}, `${layer.name}, bucket ${bucket.index}`), close),
      facts([
        ["Score of the best", number(bucket.score, 5)],
        ["Range", `${number(bucket.low)} to ${measure(bucket.high, metric)}`],
        ["Kept", kept],
        ["Inserted, evicted", `${number(bucket.inserted)}, ${number(bucket.evicted)}`],
      ]),
      h("h3", {}, "From the first layer to the best network"),
      place,
      h("a", { class: "button primary", href: `/candidates/${bucket.id}/` }, `Open candidate ${bucket.number}`),
    );
    this.dialog.replaceChildren(content);
    if (!this.dialog.open) this.dialog.show();
    close.focus();
    this.residents(bucket, layer, kept, back).catch(() => {});
    try {
      place.replaceWith(lineageList((await api(`candidates/${bucket.id}/`)).lineage));
    } catch (error) {
      place.textContent = `The lineage could not be read: ${error.message}`;
    }
  }

  /** The networks that the bucket keeps, best first. */
  async residents(bucket, layer, place, back) {
    const { layers } = await api(`searches/${this.search}/buckets/`, {
      params: { layer: layer.layer, index: bucket.index, ...back },
    });
    const residents = layers[0]?.buckets[0]?.residents ?? [];
    const shown = residents.slice(0, SHOWN).map(([candidate, score]) => `#${candidate} (${number(score)})`);
    const more = residents.length > SHOWN ? ", …" : "";
    place.textContent = `${plural(residents.length, "network")}: ${shown.join(", ")}${more}`;
  }
}
