/* ECharts in the page's colours. Tooltips are elements, which a strict content security policy allows. */
import { number } from "./format.js";
import { colours } from "./theme.js";
import { h, saveRows, saveText, watchView } from "./dom.js";

const charts = new Set();
let coming = null;

/** Resolves once ECharts is loaded. A page that only preloads the script calls this after it asked for its data. */
export function drawable() {
  coming ??= new Promise((done, fail) => {
    if (globalThis.echarts) return done();
    const src = document.querySelector("link[rel=preload][href*=echarts]").href;
    document.head.append(
      h("script", { src, onload: done, onerror: () => fail(new Error("The script of the charts did not load.")) }),
    );
    return undefined;
  }).then(() => charts.forEach((chart) => chart.start()));
  return coming;
}

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const chart = echarts.getInstanceByDom(target);
    if (chart && (chart.getWidth() !== target.clientWidth || chart.getHeight() !== target.clientHeight)) chart.resize();
  }
});
window.addEventListener("beforeprint", () => charts.forEach((chart) => chart.see(true)));
document.addEventListener("themechange", () => charts.forEach((chart) => chart.draw(true)));

/** A chart that redraws itself when the theme changes; `build(colours)` gives the option of ECharts. */
export class Chart {
  constructor(element, build, { label }) {
    this.build = build;
    this.element = element;
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", label);
    this.cost = 0;
    this.echarts = null;
    this.waiting = [];
    this.away = false;
    this.missed = null; // set while a drawing is postponed: whether it is to be fresh
    charts.add(this);
    if (globalThis.echarts) this.start();
  }

  start() {
    if (this.echarts) return;
    this.echarts = echarts.init(this.element, null, { renderer: "canvas" });
    this.echarts.getZr().setSleepAfterStill(1); // frames; without this it goes on for ten frames that draw nothing
    resized.observe(this.element);
    watchView(this.element, (inView) => this.see(inView));
    for (const run of this.waiting.splice(0)) run();
  }

  /** Calls `run` at once, or when ECharts is loaded. */
  soon(run) {
    if (this.echarts) run();
    else this.waiting.push(run);
  }

  /** Draws the data again, or postpones it until the chart is in view. Keeps zoom and selection, unless `fresh`. */
  draw(fresh = false) {
    if (this.drawings && this.away) {
      this.missed = fresh || Boolean(this.missed);
      this.cost = 0;
    } else this.soon(() => this.drawNow(fresh));
  }

  /** Notes whether the chart is in view, and catches up on a postponed drawing. */
  see(inView) {
    this.away = !inView;
    if (inView && this.missed !== null) this.drawNow(this.missed);
  }

  drawNow(fresh) {
    const begun = performance.now();
    this.missed = null;
    const zoom = fresh ? this.zoom() : null;
    const palette = colours();
    const option = this.build(palette);
    this.echarts.setOption(
      { ...frame(palette), ...option },
      { notMerge: fresh, replaceMerge: fresh ? undefined : ["series", "graphic"], lazyUpdate: false },
    );
    this.drawings = (this.drawings ?? 0) + 1;
    zoom?.forEach((part) => this.echarts.dispatchAction({ type: "dataZoom", ...part }));
    this.cost = performance.now() - begun;
  }

  /** Width and height in CSS pixels. If the chart knows them, the browser need not lay the page out. */
  get size() {
    return this.echarts
      ? [this.echarts.getWidth(), this.echarts.getHeight()]
      : [this.element.clientWidth, this.element.clientHeight];
  }

  zoom() {
    const parts = this.echarts.getOption()?.dataZoom ?? [];
    return parts.map(({ start, end }, dataZoomIndex) => ({ dataZoomIndex, start, end }));
  }

  resetZoom() {
    this.zoom().forEach((_, dataZoomIndex) =>
      this.echarts.dispatchAction({ type: "dataZoom", dataZoomIndex, start: 0, end: 100 }),
    );
  }

  on(name, handler) {
    this.soon(() => this.echarts.on(name, handler));
  }

  /** A click anywhere on the chart, also where nothing is drawn. */
  onClick(handler) {
    this.soon(() => this.echarts.getZr().on("click", handler));
  }

  /** The data at a pixel of the chart; null outside of its axes. */
  dataAt(pixel) {
    return this.echarts?.containPixel("grid", pixel) ? this.echarts.convertFromPixel("grid", pixel) : null;
  }

  /** Saves the picture as PNG, at twice the screen's resolution. */
  png(filename) {
    const address = this.echarts.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: colours().surface });
    h("a", { href: address, download: filename }).click();
  }

  /** Saves the same picture as SVG, which a second chart off the page draws. */
  svg(filename) {
    const palette = colours();
    const size = { width: this.echarts.getWidth(), height: this.echarts.getHeight() };
    const copy = echarts.init(null, null, { renderer: "svg", ssr: true, ...size });
    copy.setOption({
      ...frame(palette),
      ...this.build(palette),
      backgroundColor: palette.surface,
      dataZoom: undefined,
    });
    for (const part of this.zoom()) copy.dispatchAction({ type: "dataZoom", ...part });
    saveText(filename, copy.renderToSVGString(), "image/svg+xml");
    copy.dispose();
  }
}

/** Puts a menu into `place` that saves the chart as PNG or SVG, and `rows()`, names first, as CSV. */
export function saveMenu(place, chart, name, rows) {
  const csv = () => saveRows(`${name}.csv`, rows());
  const ways = [
    ["PNG picture", "png", () => chart.png(`${name}.png`)],
    ["SVG picture", "svg", () => chart.svg(`${name}.svg`)],
    ["CSV table", "csv", csv],
  ];
  const buttons = ways.map(([label, way, run]) =>
    h("button", { class: "button small", type: "button", dataset: { save: way }, onclick: run }, label),
  );
  const menu = h(
    "details",
    { class: "menu" },
    h("summary", { class: "button quiet small" }, "Save"),
    h("div", {}, ...buttons),
  );
  menu.addEventListener("click", (event) => event.target.dataset.save && (menu.open = false));
  place.replaceChildren(menu);
}

let font = null; // the page's; kept, because asking for it makes the browser lay the page out

function frame(c) {
  font ??= getComputedStyle(document.body).fontFamily;
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: font, color: c.text },
    tooltip: tooltip(c),
  };
}

export function tooltip(c, extra = {}) {
  return {
    confine: true,
    backgroundColor: c.raised,
    borderColor: c["line-strong"],
    borderWidth: 1,
    padding: [9, 12],
    textStyle: { color: c.text, fontSize: 13 },
    transitionDuration: 0,
    ...extra,
  };
}

/** The option of a chart that has nothing to draw yet: words in its middle. */
export function nothing(c, text) {
  const style = { text, fill: c.muted, fontSize: 13, lineHeight: 20, width: 260, overflow: "break", align: "center" };
  return {
    graphic: { type: "text", left: "center", top: "middle", style },
    xAxis: { show: false },
    yAxis: { show: false },
    series: [],
  };
}

/** A value axis with quiet lines. Values in `extra` take precedence. */
export function axis(c, name, extra = {}) {
  return {
    type: "value",
    name,
    nameLocation: "middle",
    nameGap: 30,
    nameTextStyle: { color: c.muted, fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: c["line-strong"] } },
    axisTick: { show: false },
    axisLabel: {
      color: c.muted,
      fontSize: 11,
      hideOverlap: true,
      showMinLabel: typeof extra.min !== "number" || extra.min === 0,
      showMaxLabel: typeof extra.max !== "number",
      formatter: (value) => number(value, 4),
    },
    splitLine: { lineStyle: { color: c.line } },
    scale: true,
    ...extra,
  };
}

/** Zoom by wheel and pinch on both axes. Give it with the first drawing only, so that the view is kept. */
export const INSIDE_ZOOM = [
  { type: "inside", xAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true },
  { type: "inside", yAxisIndex: 0, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true },
];

/** The content of a tooltip: a title and pairs. */
export function tip(title, pairs, mono = "") {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "–");
  return h(
    "div",
    { class: "chart-tip" },
    h("b", {}, title),
    mono ? h("div", { class: "mono" }, mono) : null,
    h("dl", {}, ...shown.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)])),
  );
}
