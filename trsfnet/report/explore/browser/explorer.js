// The explorer compares two runs, or two groups of seeds, in linked charts.
import { Chart, add, addButton, addSelect, addSlider, asSvg, saveAs, written } from "./dom.js";
import { Values, equalLines, limits } from "./values.js";

const SIDES = ["A", "B"];
const TITLES = {
  ratio: "Residual ratio of each module: what the branch adds",
  plane: "Scale against kernel norm: along a dotted line their product, and so the function, is the same. ▽: negative scale",
  stages: "PReLU slopes by stage; large marks are medians",
};

export class Explorer {
  // `changed` is called with the new state after each change; see `state`.
  constructor(root, index, bytes, changed = () => {}) {
    this.values = new Values(index, bytes);
    this.index = index;
    this.changed = changed;
    this.groups = index.start.groups.map((place) => index.groups[place]);
    this.pointed = 0;
    const live = add(root, "div", { class: "explorer-live" });
    const pickers = add(live, "div", { class: "explorer-runs" });
    this.pickers = SIDES.map((_, side) => this.makePicker(pickers, side));
    this.makeControls(live);
    this.charts = {};
    this.views = add(live, "div", { class: "explorer-views" });
    this.addChart("modules", "modules", "explorer-wide");
    this.makeBrush(this.views);
    for (const side of SIDES) this.addChart(`courses ${side}`, "courses");
    for (const name of ["histogram", "plane", "ratio", "stages"]) this.addChart(name, name);
    this.ready = Promise.all(Object.values(this.charts).map((chart) => chart.ready)).then(() => {
      this.listen();
      this.showGroups();
      return this;
    });
  }

  addChart(name, kind, style = "") {
    this.charts[name] = new Chart(this.views, this.index.charts[kind], name);
    if (style) this.charts[name].figure.classList.add(style);
    this.charts[name].figure.dataset.chart = name;
  }

  makePicker(parent, side) {
    const field = add(parent, "fieldset");
    add(field, "legend", {}, ["A: filled ●", "B: hollow ◇"][side]);
    const selects = {};
    for (const [level, title] of Object.entries(this.index.levels)) {
      selects[level] = addSelect(field, title, () => this.pick(side));
    }
    return { field, selects, link: add(field, "a", {}, `Record of ${SIDES[side]}`) };
  }

  makeControls(live) {
    const controls = add(live, "div", { class: "explorer-controls" });
    this.kind = addSelect(controls, "Show", () => this.showGroups());
    for (const [value, { title }] of Object.entries(this.index.kinds)) add(this.kind, "option", { value }, title);
    this.kind.value = this.index.start.kind;
    const place = (slider) => `${slider.value} of ${slider.max}`;
    this.epoch = addSlider(controls, "Epoch", place, () => this.draw());
    this.play = addButton(controls, "Play", () => this.togglePlay());
    addButton(controls, "Save as CSV", () => saveAs("explored.csv", "text/csv", this.csv()));
    addButton(controls, "Save as SVG", async () => {
      saveAs("explored.svg", "image/svg+xml", await asSvg(Object.values(this.charts)));
    });
    this.summary = add(live, "div", { class: "explorer-summary", "aria-live": "polite" });
  }

  makeBrush(parent) {
    const brush = add(parent, "div", { class: "explorer-controls explorer-wide" });
    const place = (slider) => `${slider.value} of ${slider.max}`;
    const ends = { min: 1, max: 1 };
    const moved = (slider) => () => this.brush(this.first.value, this.last.value, slider);
    this.first = addSlider(brush, "From module", place, moved("first"), ends);
    this.last = addSlider(brush, "To module", place, moved("last"), ends);
    addButton(brush, "All modules", () => this.brush(1, this.last.max));
    this.note = add(brush, "p", { class: "explorer-note" });
  }

  listen() {
    const { modules } = this.charts;
    modules.view.addSignalListener("brush", (_, { x }) => {
      if (x) this.brush(Math.round(x[0] + 0.499), Math.round(x[1] - 0.499));
    });
    for (const { view } of Object.values(this.charts)) {
      view.addEventListener("pointermove", (_, item) => this.point(item?.datum?.place));
      view.addEventListener("pointerout", () => this.point(0));
    }
  }

  // The state of the controls, which can be saved, sent to Jupyter's kernel, or set.
  get state() {
    return {
      groups: this.groups.map((group) => this.index.groups.indexOf(group)),
      kind: this.kind.value,
      ...Object.fromEntries(["epoch", "first", "last"].map((name) => [name, Number(this[name].value)])),
    };
  }

  set state({ groups, kind, epoch, first, last }) {
    this.groups = groups.map((place) => this.index.groups[place]);
    this.kind.value = kind;
    this.showGroups(epoch);
    this.brush(first, last);
  }

  // Returns the group that the menus select, or the nearest one: higher menus take precedence.
  pick(side) {
    let left = this.index.groups;
    for (const [level, select] of Object.entries(this.pickers[side].selects)) {
      const same = left.filter((group) => group[level] === select.value);
      if (same.length) left = same;
    }
    this.groups[side] = left[0];
    this.showGroups();
  }

  // Updates the controls for the current groups and kind, then draws.
  showGroups(epoch = this.epoch.value === this.epoch.max ? Infinity : this.epoch.value) {
    this.groups.forEach((group, side) => this.showPicker(group, this.pickers[side]));
    this.epoch.max = Math.max(...this.groups.map((group) => this.values.lastEpoch(group)));
    this.epoch.value = Math.min(epoch, this.epoch.max);
    this.kept = {};
    const count = Math.max(1, ...this.groups.map((group) => this.values.modules(group, this.kind.value).length));
    this.first.max = this.last.max = count;
    this.brush(1, count);
  }

  showPicker(group, { field, selects, link }) {
    field.style.borderInlineStartColor = group.colour;
    let left = this.index.groups;
    for (const [level, select] of Object.entries(selects)) {
      select.replaceChildren();
      for (const value of new Set(left.map((other) => other[level]))) add(select, "option", { value }, value);
      select.value = group[level];
      left = left.filter((other) => other[level] === group[level]);
    }
    // The book's page contains a list of all runs with links to their records.
    const ids = group.runs.map((i) => this.index.runs[i].id);
    const card = ids.length === 1 && [...document.links].find((other) => other.textContent.trim() === ids[0]);
    link.hidden = !card;
    if (card) link.href = card.href;
  }

  togglePlay() {
    const stop = this.timer !== undefined;
    this.play.textContent = stop ? "Play" : "Pause";
    if (stop) {
      clearInterval(this.timer);
      this.timer = undefined;
      return;
    }
    if (this.epoch.value === this.epoch.max) this.epoch.value = 0;
    this.draw();
    this.timer = setInterval(() => {
      this.epoch.value = Number(this.epoch.value) + 1;
      this.draw();
      if (this.epoch.value === this.epoch.max) this.togglePlay();
    }, 600);
  }

  // Highlights the modules from `first` to `last`. If the sliders cross, the one that was moved takes precedence.
  brush(first, last, moved = "") {
    const [low, high] = [Number(first), Number(last)];
    this.first.value = moved === "last" ? Math.min(low, high) : low;
    this.last.value = moved === "first" ? Math.max(low, high) : high;
    this.pointed = 0;
    this.draw();
  }

  // Highlights one module, numbered from 1, until the pointer leaves it; 0 for none.
  point(place = 0) {
    if (place === this.pointed) return;
    this.pointed = place;
    for (const [name, chart] of Object.entries(this.charts)) {
      if (this.linked(name)) chart.view.signal("pointed", place).runAsync();
    }
    this.say(this.shown());
  }

  // Returns whether the selection applies to a chart: slopes and blocks are numbered separately.
  linked(name) {
    return name !== "stages" && (this.kind.value !== "slope" || !["plane", "ratio"].includes(name));
  }

  // Returns the rows of both groups. Rows of all epochs are cached until the groups or the kind change.
  rows(kind, options) {
    const made = () => this.groups.flatMap((group, side) => this.values.rows(group, side, kind, options));
    return options.all ? (this.kept[kind] ??= made()) : made();
  }

  shown() {
    return this.rows(this.kind.value, { until: Number(this.epoch.value) });
  }

  draw() {
    for (const slider of [this.epoch, this.first, this.last]) slider.say();
    const { kind, epoch, first, last } = this.state;
    const { title, label, module } = this.index.kinds[kind];
    const rows = this.shown();
    const courses = this.rows(kind, { all: true });
    const [low, high] = limits(courses);
    const modules = Number(this.last.max);
    const common = { low, high, epoch, epochs: Math.max(1, Number(this.epoch.max)), label, module, pointed: 0 };
    // If all modules are selected, so are additional ones in other charts: v1 has 20 scales but 21 ratios.
    const chosen = { ...common, modules, first, last: last === modules ? 999 : last };
    const band = first > 1 || last < modules ? [{ from: first - 0.5, to: last + 0.5 }] : [];
    const { charts } = this;
    charts.modules.show(`${title} at epoch ${epoch}. Drag over modules to follow them in every chart.`, chosen, { rows, band });
    charts.histogram.show(`Histogram of both at epoch ${epoch}`, chosen, { rows });
    this.groups.forEach((group, side) => {
      const own = courses.filter((row) => row.side === SIDES[side]);
      const caption = `${SIDES[side]}: ${group.setting}, over the epochs`;
      charts[`courses ${SIDES[side]}`].show(caption, chosen, this.once(`courses ${side}`, own));
    });
    this.drawBlocks(this.linked("ratio") ? chosen : { ...common, first: 1, last: 999, modules: 0 }, epoch);
    const slopes = this.rows("slope", { until: epoch });
    charts.stages.show(slopes.length ? TITLES.stages : "Neither has PReLU slopes", common, { rows: slopes });
    this.say(rows);
    this.changed(this.state);
  }

  // Draws the charts of blocks (scale against kernel norm, and ratio), independently of the selected kind.
  drawBlocks(parameters, until) {
    const ratios = this.rows("ratio", { until }).filter((row) => row.value > 0);
    const blocks = { ...parameters, module: "Module", modules: Math.max(1, ...ratios.map((row) => row.place)) };
    this.charts.ratio.show(ratios.length ? TITLES.ratio : "Neither recorded residual ratios", blocks, { rows: ratios });
    const plane = (options) => this.groups.flatMap((group, side) => this.values.plane(group, side, options));
    const trail = plane({ until, all: true });
    const tables = { rows: plane({ until }), trail, equal: equalLines((this.kept.plane ??= plane({ all: true }))) };
    this.charts.plane.show(trail.length ? TITLES.plane : "Neither has trainable scales", blocks, tables);
  }

  // Returns the table for a chart, or nothing if the chart already has it.
  once(name, courses) {
    if (this.kept[name]) return {};
    this.kept[name] = true;
    return { courses };
  }

  say(rows) {
    const lines = this.groups.map((group, side) => `${SIDES[side]}: ${group.name}: ${this.inWords(group, side, rows)}.`);
    const modules = Number(this.last.max);
    const { first, last } = this.state;
    const { module } = this.index.kinds[this.kind.value];
    if (!this.pointed && (first > 1 || last < modules)) {
      const name = first === last ? this.nameOf(first) : `${module} ${first} to ${last}`;
      lines.push(this.rangesInWords(name, rows, (place) => place >= first && place <= last));
    }
    const one = this.pointed && this.nameOf(this.pointed);
    this.note.textContent = one ? this.rangesInWords(one, rows, (place) => place === this.pointed) : "";
    // Updated only if the text changes, because screen readers announce every update.
    if (this.pointed || this.said === lines.join("\n")) return;
    this.said = lines.join("\n");
    this.summary.replaceChildren();
    for (const line of lines) add(this.summary, "p", {}, line);
  }

  nameOf(place) {
    const found = this.groups.map((group) => this.values.modules(group, this.kind.value)[place - 1]?.[0]);
    return [...new Set(found.filter(Boolean))].join(" and ");
  }

  inWords(group, side, rows) {
    const kind = this.index.kinds[this.kind.value];
    const own = rows.filter((row) => row.side === SIDES[side]);
    if (!own.length) return kind.missing;
    const below = own.filter(({ value }) => value < 0).length;
    const mean = own.reduce((sum, { value }) => sum + value, 0) / own.length;
    const signs = kind.signed ? `, ${below} of ${own.length} below zero` : "";
    return `at epoch ${own[0].epoch} of ${this.values.lastEpoch(group)}, mean ${mean.toPrecision(3).replace("-", "−")}${signs}`;
  }

  rangesInWords(name, rows, isIn) {
    const ranges = SIDES.map((side) => {
      const found = rows.filter((row) => row.side === side && isIn(row.place)).map((row) => row.value);
      const ends = [Math.min(...found), Math.max(...found)].map(written);
      return `${side} ${found.length ? [...new Set(ends)].join(" to ") : "–"}`;
    });
    return `${name}: ${ranges.join(", ")}.`;
  }

  // Returns all values of both groups at every epoch as CSV.
  csv() {
    const kinds = Object.keys(this.index.kinds);
    const rows = kinds.flatMap((kind) => this.rows(kind, { all: true }).map((row) => ({ ...row, kind })));
    const columns = ["side", "run", "kind", "name", "stage", "epoch", "value"];
    const cell = (value) => (/[",]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
    return [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))].map((line) => line.join(",")).join("\n") + "\n";
  }
}
