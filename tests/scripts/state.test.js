import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { UrlState } from "../../static/js/core/state.js";

const DEFAULTS = { tab: "plot", logx: "0", search: "" };

/** An address bar: what a script replaces in the history is what `location` reads. */
function visit(search) {
  globalThis.location = { pathname: "/searches/1/", search };
  globalThis.history = {
    state: null,
    replaceState(_state, _title, address) {
      const { pathname, search: query } = new URL(address, "http://nasweb.test/searches/1/");
      globalThis.location = { pathname, search: query };
    },
  };
}

class Control extends EventTarget {
  constructor(type) {
    super();
    Object.assign(this, { type, value: "", checked: false });
  }

  choose(part, event) {
    Object.assign(this, part);
    this.dispatchEvent(new Event(event));
  }
}

beforeEach(() => visit(""));

test("the address wins over the defaults, and only for names that are known", () => {
  visit("?tab=workers&other=1");
  const state = new UrlState(DEFAULTS);
  assert.equal(state.get("tab"), "workers");
  assert.equal(state.get("logx"), "0");
  assert.equal(state.get("other"), undefined);
});

test("what is set stands in the address, and what is at its default does not", () => {
  const state = new UrlState(DEFAULTS);
  state.set("tab", "events");
  state.set("search", "conv 3");
  assert.equal(location.search, "?tab=events&search=conv+3");
  assert.equal(new UrlState(DEFAULTS).get("search"), "conv 3", "a link shows the same");
  state.set("tab", "plot");
  state.set("search", null);
  assert.equal(location.search, "");
  assert.equal(state.get("search"), "");
});

test("parameters of others stay in the address", () => {
  visit("?theme=dark");
  const state = new UrlState(DEFAULTS);
  state.set("logx", 1);
  assert.equal(location.search, "?theme=dark&logx=1");
});

test("a choice follows the state, and the state follows the choice", () => {
  visit("?tab=workers");
  const state = new UrlState(DEFAULTS);
  const control = new Control("select-one");
  const heard = [];
  state.bind(control, "tab", () => heard.push(state.get("tab")));
  assert.equal(control.value, "workers");
  control.choose({ value: "events" }, "change");
  assert.deepEqual(heard, ["events"]);
  assert.equal(location.search, "?tab=events");
});

test("a checkbox is 1 or 0", () => {
  visit("?logx=1");
  const state = new UrlState(DEFAULTS);
  const control = new Control("checkbox");
  state.bind(control, "logx", () => {});
  assert.equal(control.checked, true);
  control.choose({ checked: false }, "change");
  assert.equal(state.get("logx"), "0");
  control.choose({ checked: true }, "change");
  assert.equal(location.search, "?logx=1");
});

test("a search field is heard while it is typed in", () => {
  const state = new UrlState(DEFAULTS);
  const control = new Control("search");
  let times = 0;
  state.bind(control, "search", () => (times += 1));
  control.choose({ value: "c" }, "input");
  control.choose({ value: "co" }, "change");
  assert.equal(times, 1);
  assert.equal(state.get("search"), "c");
});
