// Draws the figures of run cards, each from the Vega-Lite specification in its page.
import { hideMarks } from "./dom.js";

async function draw(box) {
  const spec = JSON.parse(box.closest("figure").querySelector("script").textContent);
  // vegaEmbed does not recognise `concat` as Vega-Lite by itself.
  const options = { mode: "vega-lite", actions: false, renderer: "svg", logLevel: 1, patch: hideMarks };
  await vegaEmbed(box, spec, options);
  const svg = box.querySelector("svg");
  // The style sheet decides on the size, as for other figures.
  svg.setAttribute("viewBox", `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`);
  svg.removeAttribute("width");
  svg.removeAttribute("height");
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".card-drawing").forEach(draw));
