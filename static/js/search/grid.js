/*
 * The bucket grid: a row for each layer in the order of the search, and a column for each cost bucket. The score of a
 * bucket's best network gives its colour.
 */
import { Chart, nothing, saveMenu, tip, tooltip } from "../core/charts.js";
import { api } from "../core/api.js";
import { setText } from "../core/dom.js";
import { measure, number, plural } from "../core/format.js";
import { metricOf } from "../core/metrics.js";
import { VIRIDIS } from "../core/theme.js";

const ROUNDED = 200; // cells; with more of them corners are sharp, which is much quicker to draw
const COMPACT = 60; // columns; with more of them those that are empty in every layer are left out

export class BucketGrid {
  /** `open(bucket, layer, metric, back)` shows a bucket, and `replay` knows the parameters of the past. */
  constructor(root, open, replay) {
    Object.assign(this, { root, replay, asked: 0, past: false, present: null });
    this.layers = [];
    this.cells = []; // what the chart shows, in its order
    const label = "Heat map of layers and cost buckets, coloured by the best score in each bucket.";
    this.chart = new Chart(root.querySelector(".chart"), (c) => this.option(c), { label });
    this.chart.on("click", (event) => {
      const { bucket, layer } = this.cells[event.dataIndex] ?? {};
      if (bucket) open(bucket, layer, this.metric, this.back);
    });
    saveMenu(root.querySelector("[data-save]"), this.chart, "buckets", () => this.csv());
  }

  /** Resolves to a function that shows the answer, or to nothing when another request came in between. */
  async read(address) {
    const { upto, layer } = this.replay.params();
    const back = { upto, upto_layer: layer };
    const past = upto !== undefined || layer !== undefined;
    const asked = (this.asked += 1);
    let found;
    try {
      found = await api(address, { params: { residents: 0, ...back } });
    } catch (error) {
      if (past && asked === this.asked) this.root.querySelector(".caption").textContent = error.message;
      if (past) return undefined;
      throw error;
    }
    return () => asked === this.asked && this.show(found, past, back);
  }

  show(found, past, back) {
    const empty = !this.filled?.length;
    Object.assign(this, { metric: found.metric, back });
    Object.assign(this, { calibrated: found.calibrated, ranked: found.ranked_by });
    this.past = past && this.present !== null;
    this.layers = this.past
      ? this.present.layers.map((row) => ({
          ...row,
          buckets: found.layers.find((other) => other.layer === row.layer)?.buckets ?? [],
        }))
      : found.layers;
    this.filled = this.layers.flatMap((row) => row.buckets).filter((bucket) => bucket.score !== null);
    if (!this.past) this.keep();
    this.columns = this.present.columns;
    this.root.dataset.past = String(this.past);
    this.chart.draw(empty || !this.filled.length);
    this.caption();
  }

  /** Keeps the rows, columns and colours of the present for a replay. */
  keep() {
    const scores = this.filled.map((bucket) => bucket.score);
    this.present = {
      layers: this.layers,
      columns: this.chooseColumns(),
      low: Math.min(...scores),
      high: Math.max(...scores),
    };
  }

  chooseColumns() {
    const used = [...new Set(this.layers.flatMap((layer) => layer.buckets.map((bucket) => bucket.index)))].sort(
      (a, b) => a - b,
    );
    if (!used.length) return [];
    const width = used.at(-1) - used[0] + 1;
    this.compact = width > COMPACT && used.length < width;
    return this.compact ? used : Array.from({ length: width }, (_, at) => used[0] + at);
  }

  caption() {
    const inserted = this.layers.flatMap((layer) => layer.buckets).reduce((sum, bucket) => sum + bucket.inserted, 0);
    const evicted = this.layers.flatMap((layer) => layer.buckets).reduce((sum, bucket) => sum + bucket.evicted, 0);
    const then = this.past
      ? `Replay: filled again in the search's order, ${this.replay.past}` +
        `${this.calibrated ? ", with scores as calibrated later" : ""}. `
      : "";
    const text = this.filled.length
      ? `${then}${plural(this.filled.length, "bucket")} occupied, ${number(inserted)} insertions, ` +
        `${number(evicted)} evictions. ` +
        `Each cell is a cost bucket of ${metricOf(this.metric).label.toLowerCase()}, the cheapest on the left. ` +
        "Every layer has its own ranges. " +
        `${this.ranked ? `Buckets keep the best networks by ${this.ranked}; colours show their plain scores. ` : ""}` +
        `${this.compact ? "Buckets that are empty in every layer are left out. " : ""}Click a cell to see its lineage.`
      : "";
    setText(this.root.querySelector(".caption"), text);
  }

  option(c) {
    if (!this.filled?.length) return nothing(c, "Buckets appear after the first round is scored.");
    const place = new Map(this.columns.map((index, at) => [index, at]));
    // ECharts copies its data deeply. So it gets numbers only, and `cells` keeps the buckets that they stand for.
    this.cells = this.layers.flatMap((layer, row) =>
      layer.buckets.filter((bucket) => bucket.score !== null).map((bucket) => ({ bucket, layer, row })),
    );
    const data = this.cells.map(({ bucket, row }) => [place.get(bucket.index), row, bucket.score]);
    const scores = data.map((value) => value[2]);
    const low = Math.min(this.present.low, ...scores);
    const high = Math.max(this.present.high, ...scores);
    const quiet = {
      axisTick: { show: false },
      axisLine: { show: false },
      splitArea: { show: true, areaStyle: { color: [c.sunken] } },
    };
    return {
      grid: { left: 10, right: 14, top: 10, bottom: 78, containLabel: true },
      xAxis: {
        type: "category",
        data: this.columns.map((index) => String(index)),
        name: "Cost bucket",
        nameLocation: "middle",
        nameGap: 26,
        nameTextStyle: { color: c.muted, fontSize: 12 },
        axisLabel: { color: c.muted, fontSize: 11, hideOverlap: true },
        ...quiet,
      },
      yAxis: {
        type: "category",
        inverse: true,
        data: this.layers.map((layer) => layer.name),
        axisLabel: { color: c.text, fontSize: 12, width: 120, overflow: "truncate" },
        ...quiet,
      },
      visualMap: {
        show: data.length > 0,
        type: "continuous",
        min: low,
        max: high > low ? high : low + 1e-9,
        calculable: false,
        orient: "horizontal",
        left: "center",
        bottom: 0,
        itemWidth: 10,
        itemHeight: 150,
        inRange: { color: VIRIDIS },
        text: [`score ${number(high)}`, number(low)],
        textStyle: { color: c.muted, fontSize: 11 },
        precision: 4,
      },
      tooltip: tooltip(c, { formatter: (event) => this.tip(event) }),
      series: [
        {
          type: "heatmap",
          data,
          progressive: 0,
          itemStyle: { borderColor: c.surface, borderWidth: 1.5, borderRadius: data.length > ROUNDED ? 0 : 3 },
          emphasis: { itemStyle: { borderColor: c.orange, borderWidth: 2 } },
          cursor: "pointer",
        },
      ],
    };
  }

  tip(event) {
    const { bucket, layer } = this.cells[event.dataIndex];
    return tip(`${layer.name}, bucket ${bucket.index}`, [
      [this.ranked ? "Score" : "Best score", number(bucket.score, 5)],
      ...(this.ranked ? [["Best by", this.ranked]] : []),
      ["Best network", `candidate ${bucket.number}`],
      ["Kept", plural(bucket.kept, "network")],
      ["Range", `${number(bucket.low)} to ${measure(bucket.high, this.metric)}`],
      ["Inserted", number(bucket.inserted)],
      ["Evicted", number(bucket.evicted)],
    ]);
  }

  csv() {
    const rows = this.layers.flatMap((layer) =>
      layer.buckets.map((bucket) => [
        layer.name,
        bucket.index,
        bucket.low,
        bucket.high,
        bucket.score,
        bucket.number,
        bucket.kept,
        bucket.inserted,
        bucket.evicted,
      ]),
    );
    return [["layer", "bucket", "low", "high", "best_score", "best_candidate", "kept", "inserted", "evicted"], ...rows];
  }
}
