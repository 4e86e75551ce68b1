// Starts the parts in the book's page. A static figure is shown until then, without scripts, and in print.
import { Explorer } from "./explorer.js";
import { WhatIf } from "./whatif.js";
function start(root) {
  const [index, bytes] = [...root.querySelectorAll("script[type]")].map((one) => one.textContent);
  const data = JSON.parse(index);
  root.classList.add("explorer-started");
  if (root.dataset.part === "explorer") new Explorer(root, data, bytes);
  else new WhatIf(root, data);
}
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".explorer[data-part]").forEach(start));
