// "What if?" in Jupyter.
import { WhatIf } from "./whatif.js";
export default {
  render({ model, el }) {
    el.classList.add("explorer");
    // Stops key events from reaching JupyterLab, so that arrow keys move sliders instead of changing the cell.
    el.addEventListener("keydown", (event) => event.stopPropagation());
    new WhatIf(el, model.get("data"));
  },
};
