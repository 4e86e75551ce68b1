// "What if?" in Jupyter.
import { WhatIf } from "./whatif.js";
export default {
  render({ model, el }) {
    el.classList.add("explorer");
    // Arrow keys move sliders, and not from cell to cell: JupyterLab hears what bubbles up to the document.
    el.addEventListener("keydown", (event) => event.stopPropagation());
    new WhatIf(el, model.get("data"));
  },
};
