/*
 * What a pointer does in a plot. Turning the wheel with ctrl zooms around the pointer. Dragging with shift moves the
 * view, and dragging without shift selects a rectangle. Only the user changes the view here; new data never do.
 */
import { share, value } from "./density.js";

const STEP = 1.25;
const LEAST = 6; // pixels; a shorter drag is a click

export class PlotWindow {
  /**
   * `axes()` returns `{view: [x0, x1, y0, y1], log: [x, y]}`. When the user has changed the view, `moved` gets the new
   * ends `[x0, x1, y0, y1]`. When the user has drawn a rectangle, `selected` gets its ends in the same form.
   */
  constructor(chart, { axes, moved, selected }) {
    this.chart = chart;
    this.axes = axes;
    this.moved = moved;
    this.selected = selected;
    const element = chart.element;
    this.box = document.createElement("div");
    this.box.className = "brush";
    this.box.hidden = true;
    element.append(this.box);
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.up(event));
    element.addEventListener("pointercancel", () => this.end());
  }

  /** Zooms in (factor below 1) or out around a position, given as shares of the view from its left and lower ends. */
  zoom(factor, [acrossAt, upAt] = [0.5, 0.5]) {
    const { view, log } = this.axes();
    const part = (low, high, at, isLog) => [
      value(at - at * factor, low, high, isLog),
      value(at + (1 - at) * factor, low, high, isLog),
    ];
    this.moved([...part(view[0], view[1], acrossAt, log[0]), ...part(view[2], view[3], upAt, log[1])]);
  }

  /** The position of a pointer in pixels of the chart and in data; null outside the axes. */
  place(event) {
    const bounds = this.chart.element.getBoundingClientRect();
    const pixel = [event.clientX - bounds.left, event.clientY - bounds.top];
    const data = this.chart.dataAt(pixel);
    return data && { pixel, data };
  }

  wheel(event) {
    const place = event.ctrlKey ? this.place(event) : null;
    if (!place) return;
    event.preventDefault();
    const { view, log } = this.axes();
    const where = [share(place.data[0], view[0], view[1], log[0]), share(place.data[1], view[2], view[3], log[1])];
    this.zoom(event.deltaY > 0 ? STEP : 1 / STEP, where);
  }

  down(event) {
    const place = event.button === 0 && event.pointerType !== "touch" ? this.place(event) : null;
    if (!place) return;
    this.start = { ...place, moving: event.shiftKey, ...this.axes() };
  }

  move(event) {
    if (!this.start) return;
    const place = this.place(event);
    if (!place) return;
    this.chart.element.setPointerCapture(event.pointerId);
    if (this.start.moving) this.pan(place);
    else this.stretch(place);
  }

  pan(place) {
    const { view, log, data } = this.start;
    const back = (low, high, isLog, from, to) => {
      const by = share(from, low, high, isLog) - share(to, low, high, isLog);
      return [value(by, low, high, isLog), value(1 + by, low, high, isLog)];
    };
    this.moved([
      ...back(view[0], view[1], log[0], data[0], place.data[0]),
      ...back(view[2], view[3], log[1], data[1], place.data[1]),
    ]);
    this.start = { ...this.start, ...place, ...this.axes() };
  }

  stretch({ pixel }) {
    const [left, right] = [this.start.pixel[0], pixel[0]].sort((a, b) => a - b);
    const [top, bottom] = [this.start.pixel[1], pixel[1]].sort((a, b) => a - b);
    this.box.hidden = right - left < LEAST && bottom - top < LEAST;
    Object.assign(this.box.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${right - left}px`,
      height: `${bottom - top}px`,
    });
  }

  up(event) {
    const place = this.start && !this.start.moving && !this.box.hidden ? this.place(event) : null;
    const from = this.start?.data;
    this.dragged = !this.box.hidden || this.start?.moving;
    this.end();
    if (!place) return;
    const sorted = (one, other) => (one < other ? [one, other] : [other, one]);
    this.selected([...sorted(from[0], place.data[0]), ...sorted(from[1], place.data[1])]);
  }

  end() {
    this.start = null;
    this.box.hidden = true;
  }
}
