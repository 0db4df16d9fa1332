/*
 * Live updates: a websocket that only reports that something changed, and a slow poll in case a message is lost.
 * `wake` reads what changed. It runs at most twice per second, never twice at once, and not in a hidden tab.
 */

import { h } from "./dom.js";
import { at } from "./paths.js";

const BATCH = 500; // least ms between two updates
const FIRST_RETRY = 500;
const LAST_RETRY = 20_000;
const GONE = 4404; // the server's code for "no such search, or not yours"

export class Doorbell {
  /**
   * `state(name)` gets "live", "polling" (no websocket, but answers) or "retrying" (no answers). `poll` is the pause
   * between two polls in milliseconds. `gone` runs once when `wake` gets a 404: what the page shows was deleted, and
   * nothing more is read.
   */
  constructor(path, wake, { poll = 5000, state = () => {}, gone = null } = {}) {
    this.path = path;
    this.wake = wake;
    this.state = state;
    this.gone = gone;
    this.ended = false;
    this.retry = FIRST_RETRY;
    this.rung = false;
    this.running = false;
    this.timer = null;
    this.connect();
    this.polling = setInterval(() => this.ring(), poll);
    document.addEventListener("visibilitychange", () => document.hidden || this.ring());
    window.addEventListener("online", () => this.socket === null && this.connect());
    window.addEventListener("offline", () => this.socket?.close());
  }

  connect() {
    clearTimeout(this.reconnect);
    if (this.ended) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${at(this.path)}`);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.retry = FIRST_RETRY;
      this.state("live");
      this.ring();
    });
    socket.addEventListener("message", () => this.ring());
    socket.addEventListener("close", (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      if (this.ended || event.code === GONE) return;
      this.state("polling");
      this.reconnect = setTimeout(() => this.connect(), this.retry * (0.75 + Math.random() / 2));
      this.retry = Math.min(this.retry * 2, LAST_RETRY);
    });
  }

  /** Schedules `wake`, because something may have changed. */
  ring() {
    this.rung = true;
    if (this.ended || document.hidden || this.running || this.timer !== null) return;
    const pause = Math.max(0, BATCH - (performance.now() - (this.last ?? -BATCH)));
    this.timer = setTimeout(() => this.run(), pause);
  }

  async run() {
    this.timer = null;
    this.running = true;
    this.rung = false;
    this.last = performance.now();
    try {
      await this.wake();
      this.state(this.socket?.readyState === WebSocket.OPEN ? "live" : "polling");
    } catch (error) {
      if (error.status === 404 && this.gone) return this.end();
      this.state("retrying");
      if (!(error instanceof TypeError)) console.error(error);
    } finally {
      this.running = false;
      if (this.rung) this.ring();
    }
  }

  end() {
    this.ended = true;
    clearInterval(this.polling);
    this.socket?.close();
    this.gone();
  }
}

/** Replaces the page's content with a note that it was deleted, and a link to the list. */
export function showDeleted(root, what, list) {
  const text = "It was deleted in another window or by another program.";
  const link = h("a", { class: "button primary", href: list.path }, list.label);
  root.replaceChildren(
    h(
      "section",
      { class: "card empty", role: "alert" },
      h("h1", {}, `This ${what} was deleted`),
      h("p", {}, text),
      h("div", { class: "row" }, link),
    ),
  );
  document.title = `Deleted ${what} · nasweb`;
}

const WORDS = {
  live: "Live",
  polling: "Live, every few seconds",
  retrying: "No answer; trying again",
  waiting: "Connecting",
};

/** Returns a function that shows the connection's state in words. */
export function liveState(element) {
  return (name) => {
    element.dataset.state = name;
    if (element.textContent !== WORDS[name]) element.textContent = WORDS[name];
  };
}
