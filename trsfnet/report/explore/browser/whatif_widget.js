// "What if?" in Jupyter.
import { WhatIf } from "./whatif.js";
export default {
  render({ model, el }) {
    el.classList.add("explorer");
    // Arrow keys move sliders, not through JupyterLab's cells.
    el.dataset.lmSuppressShortcuts = "true";
    new WhatIf(el, model.get("data"));
  },
};
