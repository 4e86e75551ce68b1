// Loads the scripts of a widget in Jupyter when it is shown. anywidget gives up on a widget whose module is not
// ready after two seconds, and on a busy computer Vega takes longer.
async function load(code) {
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  try {
    return (await import(url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
}
export default {
  async render({ model, el }) {
    el.textContent = "Loading the charts …";
    const widget = await load(model.get("code"));
    el.textContent = "";
    return widget.render({ model, el });
  },
};
