/* The events of a search: the feed that reads them, and the tail of the log. */
import { api } from "../core/api.js";
import { h } from "../core/dom.js";
import { clock } from "../core/format.js";

const PAGE = 500; // events of one answer
const OPENING = 200; // lines of the log when the page opens
const LINES = 200; // of the log that stay on the page
const KINDS = "status,round,error,log"; // events with words; the plots come whole from the server

export class EventFeed {
  /** Reads the events at `address` into `log`. */
  constructor(address, log) {
    Object.assign(this, { address, log });
    this.cursor = null; // number of the last event that was read
    this.opened = 0; // events up to this number were in what the page opened with
    this.shown = null; // number of the last event that is drawn
    this.kinds = new Set(); // of the events that are not drawn yet
  }

  /** Begins with a page that shows everything up to the event of this number. */
  begin(number) {
    this.opened = number;
    this.shown = number;
    this.cursor = Math.max(0, number - OPENING);
  }

  /** Whether there are events that are not drawn yet. */
  get behind() {
    return this.cursor > this.shown;
  }

  /** Reads what came after the cursor, page by page. */
  async read() {
    for (;;) {
      const params = { after: this.cursor, limit: PAGE, kinds: KINDS };
      const { results, last } = await api(this.address, { params });
      for (const event of results) if (event.seq > this.opened) this.kinds.add(event.kind);
      this.log.add(results);
      this.cursor = last;
      if (results.length < PAGE) return;
    }
  }

  /** Notes that the page has drawn everything up to the event of this number. */
  drew(number) {
    this.shown = number;
    this.kinds.clear();
  }
}

/** The log, newest first; keeps its place while the user reads further down. */
export class EventLog {
  constructor(place) {
    this.list = h("ol", {});
    this.empty = h("p", { class: "empty" }, "Nothing has happened yet.");
    place.append(this.empty, this.list);
  }

  add(events) {
    const lines = events.filter((event) => event.message).slice(-LINES);
    if (!lines.length) return;
    this.empty.hidden = true;
    for (const event of lines) {
      const line = h(
        "li",
        { dataset: { kind: event.kind } },
        h("time", { datetime: event.created_at }, clock(event.created_at)),
        h("span", { class: "kind" }, event.kind),
        h("p", {}, event.message),
      );
      this.list.prepend(line);
    }
    while (this.list.childElementCount > LINES) this.list.lastElementChild.remove();
  }
}
