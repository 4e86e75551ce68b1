// Prints in light colours whatever the mode: ink that suits a dark page is too pale on paper.
(() => {
  const page = document.documentElement;
  let mode;
  window.addEventListener("beforeprint", () => {
    mode = page.dataset.theme;
    page.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => (page.dataset.theme = mode));
})();
