// DOM elements, controls and charts shared by the explorer and "What if?".

// Appends a new element to `parent` and returns it.
export function add(parent, name, attributes = {}, text = "") {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return parent.appendChild(element);
}

export function addSelect(parent, title, changed) {
  const select = add(add(parent, "label", {}, title), "select");
  select.addEventListener("change", changed);
  return select;
}

export function addButton(parent, text, pressed) {
  const button = add(parent, "button", { type: "button" }, text);
  button.addEventListener("click", pressed);
  return button;
}

// Adds a slider with a label that shows `say(slider)`.
export function addSlider(parent, title, say, changed, attributes = {}) {
  const label = add(parent, "label");
  const text = add(label, "span");
  const slider = add(label, "input", { type: "range", min: 0, max: 1, ...attributes, "aria-label": title });
  slider.say = () => {
    const words = say(slider);
    text.textContent = `${title} ${words}`;
    slider.setAttribute("aria-valuetext", words);
  };
  slider.addEventListener("input", changed);
  return slider;
}

// Formats a number with three significant digits and a typographic minus sign.
export function written(number) {
  if (!Number.isFinite(number)) return "not a number";
  const text = Math.abs(number) >= 1000 ? number.toPrecision(3) : String(Number(number.toPrecision(3)));
  return (text.includes("e") ? String(Number(text)) : text).replace("-", "−");
}

export function saveAs(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Hides the marks from screen readers, because a chart as a whole is an image with a name.
export function hideMarks(spec) {
  for (const mark of spec.marks ?? []) hideMarks(Object.assign(mark, { aria: false }));
  return spec;
}

// A Vega-Lite chart in a figure with a caption. Its width follows that of the figure.
export class Chart {
  constructor(parent, spec, title) {
    this.figure = add(parent, "figure", { class: "explorer-view" });
    this.caption = add(this.figure, "figcaption", {}, title);
    this.box = add(this.figure, "div", { class: "explorer-chart" });
    const options = { actions: false, renderer: "svg", logLevel: 1, patch: hideMarks };
    this.ready = vegaEmbed(this.box, spec, options).then(({ view }) => {
      this.view = view;
      new ResizeObserver(() => this.fit()).observe(this.figure);
      return view;
    });
  }

  fit() {
    const width = this.figure.clientWidth;
    if (width > 0 && width !== this.width) this.view.width((this.width = width)).runAsync();
  }

  // Sets the caption to `title`, and updates the chart's parameters and its tables of rows, each by name.
  show(title, parameters, tables = {}) {
    this.caption.textContent = title;
    for (const [name, value] of Object.entries(parameters)) this.view.signal(name, value);
    for (const [name, rows] of Object.entries(tables)) this.view.data(name, rows);
    this.view.resize().runAsync();
    const svg = this.box.querySelector("svg");
    svg?.setAttribute("role", "img");
    svg?.setAttribute("aria-label", title);
  }
}

// Returns the charts as one SVG in black on white, below each other, each under its caption.
export async function asSvg(charts) {
  const GAP = 26;
  const parser = new DOMParser();
  const drawings = await Promise.all(charts.map(({ view }) => view.toSVG()));
  const heads = drawings.map((text) => parser.parseFromString(text, "image/svg+xml").documentElement);
  let top = 0;
  const parts = heads.map((svg, i) => {
    const y = top + GAP;
    top = y + Number(svg.getAttribute("height"));
    svg.setAttribute("y", y);
    const caption = charts[i].caption.textContent.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const text = `<text x="4" y="${y - 8}" font-family="sans-serif" font-size="13" fill="currentColor">${caption}</text>`;
    return text + new XMLSerializer().serializeToString(svg);
  });
  const width = Math.max(...heads.map((svg) => Number(svg.getAttribute("width"))));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" color="#1b1f24">` +
    `<rect width="100%" height="100%" fill="white"/>${parts.join("")}</svg>\n`
  );
}
