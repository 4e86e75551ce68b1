// The explorer in Jupyter; its state is synchronised with the widget in both directions.
import { Explorer } from "./explorer.js";
export default {
  render({ model, el }) {
    let sending = false;
    const tell = (state) => {
      if (JSON.stringify(state) === JSON.stringify(model.get("state"))) return;
      sending = true;
      model.set("state", state);
      model.save_changes();
      sending = false;
    };
    el.classList.add("explorer");
    // Stops key events from reaching JupyterLab, so that arrow keys move sliders instead of changing the cell.
    el.addEventListener("keydown", (event) => event.stopPropagation());
    const explorer = new Explorer(el, model.get("index"), model.get("values"), tell);
    const receive = () => sending || (explorer.state = model.get("state"));
    explorer.ready.then(() => model.on("change:state", receive));
    return () => {
      model.off("change:state", receive);
      if (explorer.timer !== undefined) explorer.togglePlay();
    };
  },
};
