// "What if?" in Jupyter.
import { WhatIf } from "./whatif.js";
export default {
  render({ model, el }) {
    el.classList.add("explorer");
    new WhatIf(el, model.get("data"));
  },
};
