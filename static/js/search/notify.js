/* A notification of the browser when the search ends, if the user asked for it; it also comes in a hidden tab. */
import { api } from "../core/api.js";
import { toast } from "../core/dom.js";
import { searchHasEnded } from "../core/status.js";

const LOOK = 10_000; // ms between two requests of a hidden tab

export class Notifier {
  constructor(button, search) {
    this.button = button;
    this.id = search;
    this.wanted = false;
    this.ended = null; // not known yet
    button.addEventListener("click", () => this.toggle());
    setInterval(() => document.hidden && this.wanted && this.look(), LOOK);
  }

  /** Takes the search each time that the page has read it. */
  follow(search) {
    const ended = searchHasEnded(search);
    if (ended && this.wanted && this.ended === false) this.notify(search);
    this.ended = ended;
    this.button.hidden = !("Notification" in window) || ended;
  }

  async toggle() {
    if (
      !this.wanted &&
      Notification.permission !== "granted" &&
      (await Notification.requestPermission()) !== "granted"
    ) {
      toast("The browser does not allow notifications from this page; its site settings can change that.", "bad");
      return;
    }
    this.wanted = !this.wanted;
    this.button.setAttribute("aria-pressed", String(this.wanted));
    this.button.textContent = this.wanted ? "You will be notified when it ends" : "Notify me when it ends";
  }

  async look() {
    try {
      this.follow(await api(`searches/${this.id}/`));
    } catch (error) {
      if (error.status === 404) this.wanted = false; // deleted; after other errors the next look tries again
    }
  }

  notify(search) {
    const best = search.best ? ` Best score ${search.best.score.toPrecision(5)}.` : "";
    const note = new Notification(`${search.name}: ${search.status}`, {
      body: `${search.status_reason}.${best}`,
      tag: `search-${search.id}`,
    });
    note.addEventListener("click", () => {
      window.focus();
      note.close();
    });
    this.wanted = false;
  }
}
