/*
 * Drives the panels of a page that is followed live. A panel is an object:
 *
 *   name      the name by which other code loads it
 *   reads     the address that it requests, under /api/v1/
 *   follows   kinds of events after which it reads again: a list, EVENTS for all of them, or RINGS for every ring
 *   every     least milliseconds between two readings; 0: it reads with every update
 *   show      shows an answer
 *   read      instead of `show`: requests the given address, and resolves to a function that shows the answer, or to
 *             nothing
 *
 * and, optionally:
 *
 *   first     its turn in the first view, counted from 1; a panel without a turn is read later
 *   place     an element: out of view the panel waits until the element comes into view
 *   urgent    kinds of events that it follows even out of view
 *   held      returns whether it must stay as it is now
 *   idle      returns whether it also reads on a ring that brought no events
 *   aside     true: nothing waits for its answer, and after an error it stays as it is
 *   chart     the chart that it draws
 */
import { api } from "./api.js";
import { watchView } from "./dom.js";

export const EVENTS = "events";
export const RINGS = "rings";
const REST = 3; // after an update whose charts took t ms to draw, the next one waits at least 3 t
const LATE = 500; // ms; a postponed reading waits this much longer, so that the next update may include it

class Panel {
  constructor(given) {
    Object.assign(this, { every: 0, urgent: [], held: () => false, idle: () => false }, given);
    this.last = -Infinity;
    this.timer = null;
    this.away = false;
    this.stale = false; // out of view, with something new to read
    if (!this.place) return;
    watchView(this.place, (inView) => this.see(inView));
    window.addEventListener("beforeprint", () => this.see(true));
  }

  see(inView) {
    this.away = !inView;
    if (inView && this.stale && !this.held()) this.load();
  }

  /** Reads at once, and resolves to a function that shows the answer, or to nothing. */
  async now() {
    clearTimeout(this.timer);
    this.timer = null;
    this.stale = false;
    this.last = performance.now();
    if (this.read) return this.read(this.reads);
    const answer = await api(this.reads);
    return () => this.show(answer);
  }

  /** Reads and shows at once; after an error the panel stays as it is. */
  async load() {
    await this.now().then(
      (show) => show?.(),
      () => {},
    );
  }

  hears(kinds) {
    return this.follows === EVENTS || (this.follows !== RINGS && this.follows.some((kind) => kinds.has(kind)));
  }

  /** Reads as `now` does if `every` has passed. Otherwise the next call reads, or a timer if no call comes. */
  async follow(kinds) {
    if (this.held()) return undefined;
    this.stale = this.away && !this.urgent.some((kind) => kinds.has(kind));
    if (this.stale) return undefined;
    const left = this.last + this.every - performance.now();
    if (left <= 0) return this.now();
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.follow(kinds).then(
        (show) => show?.(),
        () => {},
      );
    }, left + LATE);
    return undefined;
  }
}

export class Schedule {
  /** `feed` is an EventFeed, and `ring()` asks for another `wake`. */
  constructor(panels, feed, ring) {
    Object.assign(this, { feed, ring, panels: panels.map((given) => new Panel(given)) });
    this.busy = 0; // ms that the charts of the last update took
    this.drawnAt = 0;
    this.updates = 0;
  }

  /** Reads and shows one panel at once, because the user asks for it. */
  load(name) {
    return this.panels.find((panel) => panel.name === name).load();
  }

  /** Reads and shows the first view: everything is requested at once and shown turn by turn. */
  async open() {
    const turns = [];
    for (const panel of this.panels) if (panel.first && !panel.aside) (turns[panel.first] ??= []).push(panel.now());
    for (const turn of turns.filter(Boolean).map((reading) => Promise.all(reading)))
      for (const show of await turn) show?.();
  }

  /** Reads new events and the panels that follow them, later if drawing took long; with `idle`, also idle panels. */
  async wake({ idle }) {
    await this.feed.read();
    const { behind } = this.feed;
    const rest = this.drawnAt + REST * this.busy - performance.now();
    if (behind && rest <= 0) await this.update();
    else if (behind) setTimeout(this.ring, rest);
    else if (idle) await this.draw(this.panels.filter((panel) => panel.idle()));
    for (const panel of this.panels) if (panel.follows === RINGS) this.putAside(panel);
  }

  /** Updates all panels that follow the new events. */
  async update() {
    const { cursor } = this.feed;
    const kinds = new Set(this.feed.kinds);
    const due = this.panels.filter((panel) => panel.hears(kinds));
    await this.draw(
      due.filter((panel) => !panel.aside),
      kinds,
    );
    for (const panel of due) if (panel.aside) this.putAside(panel, kinds);
    this.feed.drew(cursor);
    this.busy = this.panels.reduce((sum, { chart }) => sum + (chart?.cost ?? 0), 0);
    this.updates += 1;
    this.drawnAt = performance.now();
  }

  async draw(panels, kinds = new Set()) {
    for (const show of await Promise.all(panels.map((panel) => panel.follow(kinds)))) show?.();
  }

  putAside(panel, kinds = new Set()) {
    this.draw([panel], kinds).catch(() => {});
  }
}
