// "What if?": sliders for a schedule, and the scales that result by gradient flow.
import { Chart, add, addButton, addSelect, addSlider, written } from "./dom.js";

const MOMENTUM = 0.9;
// The sum of the learning rates over the first share `t` of the steps, divided by (initial rate × all steps).
const SPENT = {
  cosine: (t) => (t + Math.sin(Math.PI * t) / Math.PI) / 2,
  constant: (t) => t,
  // Five learning rates for equal shares of the steps, each a fifth of the previous one: the paper's schedule on VGGFace2.
  staircase: (t) => [0, 1, 2, 3, 4].reduce((sum, i) => sum + 0.2 ** i * Math.min(Math.max(t - i / 5, 0), 0.2), 0),
};
const SCHEDULES = { cosine: "cosine to zero", staircase: "step, 5 rates, each × 0.2", constant: "constant" };

// The value of a logarithmic slider (base 10), rounded to two digits.
const rounded = (slider) => Number((10 ** slider.value).toPrecision(2));

export class WhatIf {
  constructor(root, data) {
    this.data = data;
    const live = add(root, "div", { class: "explorer-live" });
    const presets = add(live, "div", { class: "explorer-presets", role: "group", "aria-label": "Schedules" });
    for (const preset of data.presets) addButton(presets, preset.name, () => this.set(preset));
    const controls = add(live, "div", { class: "explorer-controls" });
    const draw = () => this.draw();
    const power = (slider) => written(rounded(slider));
    this.rate = addSlider(controls, "Learning rate", power, draw, { min: -3, max: 0, step: 0.01 });
    this.decay = addSlider(controls, "Weight decay", power, draw, { min: -6, max: -1, step: 0.01 });
    const whole = (slider) => rounded(slider).toLocaleString("en");
    this.steps = addSlider(controls, "Steps", whole, draw, { min: 2, max: 5.5, step: 0.01 });
    this.schedule = addSelect(controls, "Schedule", draw);
    for (const [value, title] of Object.entries(SCHEDULES)) add(this.schedule, "option", { value }, title);
    this.kept = addSelect(controls, "Strength |s|·‖W‖ of the branches", draw);
    data.curves.forEach(({ name }, value) => add(this.kept, "option", { value }, name));
    this.summary = add(live, "p", { class: "explorer-summary", "aria-live": "polite" });
    const views = add(live, "div", { class: "explorer-views" });
    this.charts = {};
    for (const name of ["budget", "path", "gauge"]) {
      this.charts[name] = new Chart(views, data.charts[name], name);
      this.charts[name].figure.dataset.chart = name;
    }
    this.charts.budget.figure.classList.add("explorer-wide");
    this.ready = Promise.all(Object.values(this.charts).map((chart) => chart.ready)).then(() => {
      this.set(data.presets.at(-1));
      return this;
    });
  }

  set({ rate, decay, steps, schedule }) {
    for (const [name, value] of Object.entries({ rate, decay, steps })) this[name].value = Math.log10(value);
    this.schedule.value = schedule in SPENT ? schedule : "constant";
    this.draw();
  }

  // Interpolates a column at a decay budget between the budgets of the table.
  at(budget, column) {
    const { budgets } = this.data;
    const i = Math.max(1, budgets.findIndex((one) => one >= budget));
    const last = budget >= budgets.at(-1) ? budgets.length - 1 : i;
    const [left, right] = [Math.log(budgets[last - 1]), Math.log(budgets[last])];
    const share = Math.min(1, Math.max(0, (Math.log(budget) - left) / (right - left)));
    return column[last - 1] + share * (column[last] - column[last - 1]);
  }

  draw() {
    for (const slider of [this.rate, this.decay, this.steps]) slider.say();
    const [rate, decay, steps] = [this.rate, this.decay, this.steps].map(rounded);
    const spent = SPENT[this.schedule.value];
    const budget = (t) => (2 * decay * rate * steps * spent(t)) / (1 - MOMENTUM);
    const { budgets, curves, points } = this.data;
    const { scales, module } = curves[this.kept.value];
    const end = { series: "your schedule", name: "your schedule", budget: budget(1) };
    end.scale = this.at(end.budget, scales);
    const curve = budgets.map((one, i) => ({ budget: one, scale: scales[i] }));
    this.charts.budget.show("Where the scales end, by decay budget κ = 2 · weight decay · Σ learning rate / (1 − momentum). Dashed: a scale of 1", {}, { curve, points, yours: [end] });
    const path = Array.from({ length: 61 }, (_, i) => ({ step: (i / 60) * steps, scale: this.at(budget(i / 60), scales) }));
    this.charts.path.show("The mean scale during training", {}, { path });
    const line = module.norms.map((norm, i) => ({ norm, scale: module.scales[i] }));
    const here = { norm: this.at(end.budget, module.norms), scale: this.at(end.budget, module.scales), name: "end" };
    const taken = [...line.filter((_, i) => budgets[i] < end.budget), here];
    const ends = [{ ...line[0], name: "start" }, here];
    this.charts.gauge.show("One module: every point of this line is the same function", {}, { line, taken, ends });
    this.summary.textContent =
      `Decay budget κ = ${written(end.budget)}: under gradient flow, the mean scale ends at ${written(end.scale)}. A typical kernel shrinks ` +
      `from ‖W‖ = ${written(line[0].norm)} to ${written(here.norm)} while its scale grows from ${written(line[0].scale)} ` +
      `to ${written(here.scale)}. Their product stays ${written(here.norm * here.scale)}: the module still computes the same function.`;
  }
}
