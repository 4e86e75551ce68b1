// Always prints in light mode, because the text colours of dark mode are too pale on paper.
(() => {
  const page = document.documentElement;
  let mode;
  window.addEventListener("beforeprint", () => {
    mode = page.dataset.theme;
    page.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => (page.dataset.theme = mode));
})();
