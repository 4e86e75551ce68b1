// One drawing with axes in SVG, as wide as the page lets it be, for the page "Explore". No library.
const explorePlot = (() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 230;
  const NARROWEST = 200; // before the page is laid out, it has hardly any width
  const MARGIN = { left: 52, right: 10, top: 10, bottom: 40 };

  // A new element at the end of `parent`.
  function add(parent, name, attributes = {}, text = "") {
    const svg = parent.namespaceURI === SVG || name === "svg";
    const element = svg ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text) element.textContent = text;
    return parent.appendChild(element);
  }

  const written = (number) => String(number).replace("-", "−");

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  // Round values that divide a range into about `count` parts, each with its text.
  function ticks([low, high], count) {
    const rough = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
      found.push([i * step, written((i * step).toFixed(digits))]);
    }
    return found;
  }

  const wholeTicks = (range, count) => ticks(range, count).filter(([value]) => Number.isInteger(value));

  // The range of `values` and zero, a little widened.
  function limits(values) {
    const numbers = values.filter((value) => value !== null);
    const low = numbers.reduce((a, b) => Math.min(a, b), 0);
    const high = numbers.reduce((a, b) => Math.max(a, b), 0);
    const margin = 0.04 * (high - low) || 1;
    return [low < 0 ? low - margin : 0, high + margin];
  }

  class Plot {
    constructor(parent, wide = false) {
      this.figure = add(parent, "figure", { class: `explorer-view${wide ? " explorer-wide" : ""}` });
      this.caption = add(this.figure, "figcaption");
      this.svg = add(this.figure, "svg", { role: "img", height: HEIGHT });
    }

    // Empties the drawing and gives it axes over the ranges `x` and `y`.
    begin({ title, x, y, xLabel, yLabel, xTicks, yTicks }) {
      this.caption.textContent = title;
      this.svg.setAttribute("aria-label", title);
      this.svg.replaceChildren();
      const width = Math.max(this.figure.clientWidth, NARROWEST);
      this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      const [left, right] = [MARGIN.left, width - MARGIN.right];
      [this.top, this.bottom] = [MARGIN.top, HEIGHT - MARGIN.bottom];
      this.x = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right - left);
      this.y = (value) => this.bottom - ((value - y[0]) / (y[1] - y[0])) * (this.bottom - this.top);
      this.atX = (pixel) => x[0] + ((pixel - left) / (right - left)) * (x[1] - x[0]);
      this.atY = (pixel) => y[0] + ((this.bottom - pixel) / (this.bottom - this.top)) * (y[1] - y[0]);
      for (const [value, text] of yTicks) {
        const [height, name] = [this.y(value), value === 0 ? "explorer-zero" : "explorer-grid"];
        add(this.svg, "line", { x1: left, x2: right, y1: height, y2: height, class: name });
        add(this.svg, "text", { x: left - 6, y: height + 4, "text-anchor": "end" }, text);
      }
      for (const [value, text] of xTicks) {
        add(this.svg, "text", { x: this.x(value), y: this.bottom + 16, "text-anchor": "middle" }, text);
      }
      add(this.svg, "text", { x: (left + right) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, xLabel);
      const turned = `translate(12 ${(this.top + this.bottom) / 2}) rotate(-90)`;
      add(this.svg, "text", { transform: turned, "text-anchor": "middle" }, yLabel);
    }

    // Where a pointer is, in the units of the axes.
    place(event) {
      const box = this.svg.getBoundingClientRect();
      return [this.atX(event.clientX - box.left), this.atY(event.clientY - box.top)];
    }
  }

  return { Plot, add, clamp, limits, ticks, wholeTicks, written };
})();
