// The explorer in Jupyter: its state is the widget's, both ways.
import { Explorer } from "./explorer.js";
export default {
  render({ model, el }) {
    let telling = false;
    const tell = (state) => {
      if (JSON.stringify(state) === JSON.stringify(model.get("state"))) return;
      telling = true;
      model.set("state", state);
      model.save_changes();
      telling = false;
    };
    el.classList.add("explorer");
    // Arrow keys move sliders, and not from cell to cell: JupyterLab hears what bubbles up to the document.
    el.addEventListener("keydown", (event) => event.stopPropagation());
    const explorer = new Explorer(el, model.get("index"), model.get("values"), tell);
    const hear = () => telling || (explorer.state = model.get("state"));
    explorer.ready.then(() => model.on("change:state", hear));
    return () => {
      model.off("change:state", hear);
      if (explorer.timer !== undefined) explorer.togglePlay();
    };
  },
};
