/* The schedule with a clock, answers and an element in view that the test moves by hand. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.document = { querySelector: () => null };
globalThis.window = new EventTarget();
const { EVENTS, RINGS, Schedule } = await import("../../static/js/core/schedule.js");

let clock;
let log; // what was read and shown, in order
let views; // by element: tells whether it is in view

beforeEach((context) => {
  clock = 10_000;
  log = [];
  views = new Map();
  context.mock.timers.enable({ apis: ["setTimeout"] });
  context.mock.method(performance, "now", () => clock);
  globalThis.IntersectionObserver = class {
    constructor(heard) {
      this.heard = heard;
    }

    observe(element) {
      views.set(element, (isIntersecting) => this.heard([{ isIntersecting }]));
    }
  };
});

function pass(context, ms) {
  clock += ms;
  context.mock.timers.tick(ms);
}

/** Lets everything run that waits for nothing but answers that are there. */
const settle = () => new Promise((done) => setImmediate(done));

function panel(name, given = {}) {
  const read = async (address) => {
    log.push(`read ${name} at ${address}`);
    return () => log.push(`show ${name}`);
  };
  return { name, reads: `${name}/`, follows: EVENTS, read, ...given };
}

function feed() {
  return {
    kinds: new Set(),
    cursor: 0,
    shown: 0,
    coming: [],
    get behind() {
      return this.cursor > this.shown;
    },
    async read() {
      for (const kind of this.coming.splice(0)) {
        this.kinds.add(kind);
        this.cursor += 1;
      }
    },
    drew(number) {
      this.shown = number;
      this.kinds.clear();
    },
  };
}

function scheduled(...panels) {
  const events = feed();
  const rings = [];
  const schedule = new Schedule(panels, events, () => rings.push(clock));
  const wake = async (...kinds) => {
    log.length = 0;
    events.coming.push(...kinds);
    await schedule.wake({ idle: true });
    await settle();
    return log;
  };
  return { schedule, wake, rings, events };
}

test("the first view asks for everything at once and shows it in turns", async () => {
  let answer;
  const slow = { read: () => new Promise((done) => (answer = () => done(() => log.push("show slow")))), first: 1 };
  const { schedule } = scheduled(
    panel("late"),
    panel("second", { first: 2 }),
    panel("slow", slow),
    panel("quick", { first: 1 }),
  );
  const open = schedule.open();
  await settle();
  assert.deepEqual(log, ["read second at second/", "read quick at quick/"]);
  answer();
  await open;
  assert.deepEqual(log.slice(2), ["show slow", "show quick", "show second"]);
});

test("a panel reads after the events that it follows, and not without", async () => {
  const { wake } = scheduled(panel("all"), panel("rounds", { follows: ["round", "status"] }));
  assert.deepEqual(await wake("log"), ["read all at all/", "show all"]);
  assert.deepEqual(await wake("log", "round"), [
    "read all at all/",
    "read rounds at rounds/",
    "show all",
    "show rounds",
  ]);
  assert.deepEqual(await wake(), []);
});

test("events whose update failed count for the next one", async () => {
  let down = true;
  const plot = async () => {
    if (down) throw new TypeError("no answer");
    return () => log.push("show plot");
  };
  const { wake, schedule } = scheduled(panel("plot", { read: plot }), panel("rounds", { follows: ["round"] }));
  await assert.rejects(wake("round"), TypeError);
  assert.equal(schedule.updates, 0);
  down = false;
  assert.deepEqual(await wake(), ["read rounds at rounds/", "show plot", "show rounds"]);
  assert.equal(schedule.updates, 1);
});

test("a paced panel waits its time, and is made up for by the next update or alone", async (context) => {
  const { wake } = scheduled(panel("history", { every: 1000 }));
  assert.equal((await wake("log")).length, 2);
  pass(context, 400);
  assert.deepEqual(await wake("log"), [], "too early");
  pass(context, 700);
  assert.equal((await wake("log")).length, 2, "with the next update");
  pass(context, 600);
  assert.deepEqual(await wake("log"), []);
  pass(context, 899);
  await settle();
  assert.deepEqual(log, [], "half a second is left to the next update");
  pass(context, 1);
  await settle();
  assert.deepEqual(log, ["read history at history/", "show history"], "alone, and once");
});

test("out of view a panel waits until it is in view, unless it is urgent", async () => {
  const { wake } = scheduled(panel("grid", { place: "grid", urgent: ["status"] }));
  views.get("grid")(false);
  assert.deepEqual(await wake("log"), []);
  assert.equal((await wake("status")).length, 2);
  assert.deepEqual(await wake("log"), []);
  views.get("grid")(true);
  await settle();
  assert.deepEqual(log, ["read grid at grid/", "show grid"]);
  log.length = 0;
  views.get("grid")(false);
  views.get("grid")(true);
  await settle();
  assert.deepEqual(log, [], "nothing came meanwhile");
});

test("a held panel stays as it is, but for the user's own request", async () => {
  const { wake, schedule } = scheduled(panel("table", { held: () => true }));
  assert.deepEqual(await wake("log"), []);
  await schedule.load("table");
  assert.deepEqual(log, ["read table at table/", "show table"]);
});

test("a ring without events reads what is idle and what follows rings", async () => {
  const { wake, schedule } = scheduled(
    panel("search", { idle: () => true }),
    panel("plot"),
    panel("work", { follows: RINGS, aside: true }),
  );
  assert.deepEqual(await wake(), ["read search at search/", "show search", "read work at work/", "show work"]);
  log.length = 0;
  await schedule.wake({ idle: false });
  await settle();
  assert.deepEqual(log, ["read work at work/", "show work"]);
});

test("what stands aside holds up nothing and may fail", async () => {
  const trust = { follows: ["status"], aside: true, read: () => Promise.reject(new TypeError("no answer")) };
  const { wake, schedule } = scheduled(panel("plot"), panel("trust", trust));
  assert.deepEqual(await wake("status"), ["read plot at plot/", "show plot"]);
  assert.equal(schedule.updates, 1);
});

test("a costly update is followed by a rest of three times its drawing", async (context) => {
  const { wake, rings, schedule } = scheduled(panel("plot", { chart: { cost: 200 } }));
  await wake("log");
  pass(context, 100);
  assert.deepEqual(await wake("log"), []);
  pass(context, 499);
  assert.equal(rings.length, 0);
  pass(context, 1);
  assert.equal(rings.length, 1, "it rings when the rest is over");
  assert.equal((await wake()).length, 2);
  assert.equal(schedule.updates, 2);
});
