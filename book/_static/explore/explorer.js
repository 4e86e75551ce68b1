// The page "Explore": two runs beside each other, from the numbers in the page. No network, no library.
(() => {
  "use strict";

  const SIDES = ["A", "B"];

  class Explorer {
    constructor(root, data) {
      const { add, Plot } = explorePlot;
      this.data = data;
      this.runs = data.start.runs.map((place) => data.runs[place]);
      this.pointed = null; // set of the modules under the pointer
      const live = add(root, "div", { class: "explorer-live" });
      const pickers = add(live, "div", { class: "explorer-runs" });
      this.pickers = SIDES.map((_, side) => this.makePicker(pickers, side));
      const controls = add(live, "div", { class: "explorer-controls" });
      this.kindSelect = this.makeSelect(controls, "Show", () => this.showRuns());
      for (const [value, { title }] of Object.entries(data.kinds)) add(this.kindSelect, "option", { value }, title);
      this.kindSelect.value = data.start.kind;
      this.epoch = this.makeSlider(controls, "Epoch", () => this.draw());
      this.epoch.min = 0;
      this.summary = add(live, "div", { class: "explorer-summary", "aria-live": "polite" });
      this.modules = new Plot(live, true);
      const brush = add(live, "div", { class: "explorer-controls" });
      this.from = this.makeSlider(brush, "From module", () => this.brush(this.from.value, this.to.value, "from"));
      this.to = this.makeSlider(brush, "To module", () => this.brush(this.from.value, this.to.value, "to"));
      this.all = add(brush, "button", { type: "button" }, "All modules");
      this.all.addEventListener("click", () => this.brush(1, this.to.max));
      this.note = add(live, "p", { class: "explorer-note" });
      const views = add(live, "div", { class: "explorer-views" });
      this.courses = SIDES.map(() => new Plot(views));
      this.histogram = new Plot(views, true);
      this.listen();
      this.showRuns();
      new ResizeObserver(() => this.draw()).observe(live);
    }

    makeSelect(parent, title, changed) {
      const select = explorePlot.add(explorePlot.add(parent, "label", {}, title), "select");
      select.addEventListener("change", changed);
      return select;
    }

    makeSlider(parent, title, changed) {
      const label = explorePlot.add(parent, "label");
      const text = explorePlot.add(label, "span");
      const slider = explorePlot.add(label, "input", { type: "range", min: 1, max: 1, "aria-label": title });
      slider.say = () => (text.textContent = `${title} ${slider.value} of ${slider.max}`);
      slider.addEventListener("input", changed);
      return slider;
    }

    makePicker(parent, side) {
      const field = explorePlot.add(parent, "fieldset");
      explorePlot.add(field, "legend", {}, ["Run A (filled)", "Run B (hollow)"][side]);
      const selects = {};
      for (const [level, title] of Object.entries(this.data.levels)) {
        selects[level] = this.makeSelect(field, title, () => this.pick(side));
      }
      return { field, selects, link: explorePlot.add(field, "a", {}, `Record of run ${SIDES[side]}`) };
    }

    listen() {
      const { modules, histogram } = this;
      let start = null;
      modules.svg.addEventListener("pointerdown", (event) => {
        start = this.moduleAt(event);
        modules.svg.setPointerCapture(event.pointerId);
        this.brush(start, start);
      });
      for (const end of ["pointerup", "pointercancel"]) modules.svg.addEventListener(end, () => (start = null));
      modules.svg.addEventListener("pointermove", (event) => {
        const here = this.moduleAt(event);
        if (start === null) this.point([here - 1]);
        else this.brush(Math.min(start, here), Math.max(start, here));
      });
      this.courses.forEach((plot, side) =>
        plot.svg.addEventListener("pointermove", (event) => this.point(this.nearest(side, plot.place(event)))),
      );
      histogram.svg.addEventListener("pointermove", (event) => this.point(this.inBin(histogram.place(event)[0])));
      for (const { svg } of [modules, histogram, ...this.courses]) {
        svg.addEventListener("pointerleave", () => this.point([]));
      }
    }

    // The run that the pickers say, or the nearest there is: levels above count for more.
    pick(side) {
      let left = this.data.runs;
      for (const [level, select] of Object.entries(this.pickers[side].selects)) {
        const same = left.filter((run) => run[level] === select.value);
        if (same.length) left = same;
      }
      this.runs[side] = left[0];
      this.showRuns();
    }

    // Bring the controls in line with the runs and the kind, then draw.
    showRuns() {
      this.runs.forEach((run, side) => this.showPicker(run, this.pickers[side]));
      const courses = this.runs.flatMap((run) => Object.values(run.kinds));
      const [before, atEnd] = [this.epoch.value, this.epoch.value === this.epoch.max];
      this.epoch.max = Math.max(...courses.map((course) => course.epochs.at(-1)));
      this.epoch.value = atEnd ? this.epoch.max : before;
      const count = Math.max(1, ...this.runs.map((run) => this.namesOf(run).length));
      this.from.max = this.to.max = count;
      this.brush(1, count);
    }

    showPicker(run, { field, selects, link }) {
    field.style.borderInlineStartColor = run.colour;
      let left = this.data.runs;
      for (const [level, select] of Object.entries(selects)) {
        select.replaceChildren();
        for (const value of new Set(left.map((other) => other[level]))) {
          explorePlot.add(select, "option", { value }, value);
        }
        select.value = run[level];
        left = left.filter((other) => other[level] === run[level]);
      }
      // The page lists every run with a link to its record.
      const listed = [...document.links].find((other) => other.textContent.trim() === run.id);
      link.hidden = !listed;
      if (listed) link.href = listed.href;
    }

    // Let modules from the one to the other stand out; where they cross, the slider that was moved wins.
    brush(from, to, moved = "") {
      const [low, high] = [Number(from), Number(to)];
      this.from.value = moved === "to" ? Math.min(low, high) : low;
      this.to.value = moved === "from" ? Math.max(low, high) : high;
      this.point([]);
    }

    // Let some modules, numbered from 0, stand out until the pointer leaves.
    point(modules) {
      this.pointed = modules.length ? new Set(modules) : null;
      this.draw();
    }

    moduleAt(event) {
      return explorePlot.clamp(Math.round(this.modules.place(event)[0]), 1, Number(this.to.max));
    }

    nearest(side, [x, y]) {
      const course = this.runs[side].kinds[this.kindSelect.value];
      if (!course) return [];
      const row = explorePlot.clamp(Math.round(x), 0, course.epochs.length - 1);
      const distances = course.values[row].map((value) => (value === null ? Infinity : Math.abs(value - y)));
      return [distances.indexOf(Math.min(...distances))];
    }

    inBin(x) {
      const { runs, bin } = this.state();
      const within = (value) => value !== null && bin(value) === bin(x);
      return runs.flatMap((run) => run.values.flatMap((value, i) => (within(value) ? [i] : [])));
    }

    namesOf(run) {
      const course = run.kinds[this.kindSelect.value];
      return course ? this.data.names[course.names] : [];
    }

    // What the views are drawn from. Of a run that has fewer epochs than chosen, its last counts.
    state() {
      const [from, to, modules] = [this.from.value, this.to.value, this.to.max].map(Number);
      const epoch = Number(this.epoch.value);
      const runs = this.runs.map((run) => {
        const course = run.kinds[this.kindSelect.value];
        const row = course ? course.epochs.findLastIndex((other) => other <= epoch) : -1;
        return { ...run, course, row, values: course ? course.values[row] : [] };
      });
      const range = explorePlot.limits(runs.flatMap((run) => (run.course ? run.course.values.flat() : [])));
      const isBrushed = from > 1 || to < modules;
      return {
        kind: this.data.kinds[this.kindSelect.value],
        bins: this.data.bins,
        bin: (value) => Math.floor(((value - range[0]) / (range[1] - range[0])) * this.data.bins),
        epochs: Number(this.epoch.max),
        isChosen: isBrushed || this.pointed !== null,
        isHot: (i) => (this.pointed ? this.pointed.has(i) : i + 1 >= from && i + 1 <= to),
        runs,
        range,
        epoch,
        from,
        to,
        modules,
        isBrushed,
      };
    }

    draw() {
      const state = this.state();
      for (const slider of [this.epoch, this.from, this.to]) slider.say();
      exploreViews.drawModules(this.modules, state);
      this.courses.forEach((plot, side) => exploreViews.drawCourses(plot, state, side));
      exploreViews.drawHistogram(this.histogram, state);
      this.say(state);
    }

    say(state) {
      const lines = state.runs.map((run, side) => `${SIDES[side]}: ${run.name}: ${this.inWords(run, state)}.`);
      const chosen = state.isChosen ? this.chosenInWords(state) : "";
      if (!this.pointed && chosen) lines.push(chosen);
      this.note.textContent = this.pointed ? chosen : "";
      // Written only when it changes: a screen reader speaks every change.
      if (this.pointed || this.said === lines.join("\n")) return;
      this.said = lines.join("\n");
      this.summary.replaceChildren();
      for (const line of lines) explorePlot.add(this.summary, "p", {}, line);
    }

    inWords({ course, row, values }, { kind }) {
      if (!course) return kind.missing;
      const below = values.filter((value) => value < 0).length;
      const signs = kind.signed ? `, ${below} of ${values.length} below zero` : "";
      return `at epoch ${course.epochs[row]} of ${course.epochs.at(-1)}, mean ${course.means[row]}${signs}`;
    }

    // One module by its name and values, several by how many and their range.
    chosenInWords({ runs, isHot, modules, kind, from, to }) {
      const places = Array.from({ length: modules }, (_, i) => i).filter(isHot);
      const names = runs.map((run) => this.namesOf(run)[places[0]]).filter(Boolean);
      const several = this.pointed ? `${places.length} modules` : `${kind.module} ${from} to ${to}`;
      const who = places.length > 1 ? several : [...new Set(names)].join(" and ");
      const ranges = runs.map((run, side) => {
        const found = run.values.filter((value, i) => value !== null && isHot(i));
        const ends = [Math.min(...found), Math.max(...found)].map(explorePlot.written);
        return `${SIDES[side]} ${found.length ? [...new Set(ends)].join(" to ") : "–"}`;
      });
      return `${who}: ${ranges.join(", ")}.`;
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const root of document.querySelectorAll(".explorer")) {
      const data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      root.classList.add("explorer-started"); // which hides the static figure, but not in print
      new Explorer(root, data);
    }
  });
})();
