/* Replays how the front and the bucket grid grew, by evaluation or by layer, by itself or by the slider. */
import { number, plural } from "../core/format.js";

const FRAMES = 80; // of a whole replay by evaluation
const PAUSE = 140; // least ms between two frames
const LAYER_PAUSE = 900;

export class Replay {
  /** `changed()` shows front and grid again, at the moment that `params()` names. */
  constructor(root, changed) {
    Object.assign(this, { root, changed, search: null, size: 0, timer: null, at: null });
    const find = (name) => root.querySelector(`[data-replay=${name}]`);
    [this.button, this.range, this.by, this.words] = ["play", "range", "by", "words"].map(find);
    this.button.addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    this.range.addEventListener("input", () => this.seek(Number(this.range.value)));
    this.by.addEventListener("change", () => {
      this.pause();
      this.leave();
    });
    root.addEventListener("keydown", (event) => {
      if (event.key === " " && event.target === this.range) {
        event.preventDefault();
        this.button.click();
      } else if (event.key === "Escape") this.leave();
    });
  }

  get byLayer() {
    return this.by.value === "layer";
  }

  /** The layer that a replay by layer has reached, in the search's order; undefined before the first. */
  get reached() {
    return this.search?.layers_progress[(this.at ?? this.end) - 1];
  }

  get end() {
    return this.byLayer ? (this.search?.layers_progress.length ?? 1) : this.size;
  }

  /** Takes the search's present size. A replay that runs keeps its position. */
  follow(search, size) {
    this.search = search;
    this.size = size;
    this.range.max = String(this.end);
    if (this.at === null) this.range.value = this.range.max;
    this.show();
  }

  /** The parameters that ask the server for the replayed moment; none for the present. */
  params() {
    if (this.at === null) return {};
    return this.byLayer ? { layer: this.reached?.layer ?? -1 } : { upto: this.at };
  }

  play() {
    if (this.at === null || this.at >= this.end) this.at = 0;
    this.button.setAttribute("aria-pressed", "true");
    this.button.textContent = "Pause";
    const step = async () => {
      const begun = performance.now();
      await this.seek(
        Math.min(this.end, (this.at ?? 0) + (this.byLayer ? 1 : Math.max(1, Math.ceil(this.size / FRAMES)))),
        true,
      );
      if (!this.timer) return;
      if (this.at === null || this.at >= this.end) return this.leave();
      this.timer = setTimeout(step, Math.max(20, (this.byLayer ? LAYER_PAUSE : PAUSE) - (performance.now() - begun)));
    };
    this.timer = setTimeout(step, 0);
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.button.setAttribute("aria-pressed", "false");
    this.button.textContent = "Replay";
  }

  /** Ends the replay and shows the present. */
  leave() {
    this.pause();
    const away = this.at !== null;
    this.at = null;
    this.range.max = this.range.value = String(this.end);
    this.show();
    return away ? this.changed() : undefined;
  }

  seek(at, playing = false) {
    if (!playing) this.pause();
    if (at >= this.end && !playing) return this.leave();
    this.at = at;
    this.range.value = String(at);
    this.show();
    return this.changed();
  }

  /** The replayed moment in words; empty for the present. */
  get past() {
    if (this.at === null) return "";
    if (!this.byLayer) return `after ${plural(this.at, "evaluation")}`;
    if (!this.at) return "before layer 1";
    const name = this.reached?.name ?? "";
    const named = name && name.toLowerCase() !== `layer ${this.at}` ? ` (${name})` : "";
    return `up to layer ${this.at} of ${this.end}${named}`;
  }

  show() {
    const words = this.past || (this.size ? `now: ${number(this.size)} proposed` : "nothing to replay yet");
    this.words.textContent = words;
    this.range.setAttribute("aria-valuetext", words);
    this.root.dataset.past = String(this.at !== null);
    this.range.disabled = this.button.disabled = !this.size;
  }
}
