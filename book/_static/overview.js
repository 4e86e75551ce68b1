// The figure of the claims: select a question to see all its claims with their numbers, or one group of runs.
document.addEventListener("DOMContentLoaded", () => {
  // Appends a new element to `parent` and returns it.
  function add(parent, name, attributes = {}, text = "") {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text) element.textContent = text;
    return parent.appendChild(element);
  }

  // Adds a select element above the claims, with a first option for all values.
  function makeSelect(controls, title, all, values, changed) {
    const select = add(add(controls, "label", {}, title), "select");
    for (const value of [all, ...values]) add(select, "option", { value: value === all ? "" : value }, value);
    select.addEventListener("change", changed);
    return select;
  }

  function start(figure) {
    const [claims, lines, marks] = ["li", ".overview-line", ".overview-key > span"].map((name) => [
      ...figure.querySelectorAll(name),
    ]);
    const controls = document.createElement("div");
    controls.className = "overview-controls";
    figure.prepend(controls);
    const questions = new Set(claims.map((claim) => claim.dataset.question));
    const groups = new Set(lines.map((line) => line.dataset.runs));
    const question = makeSelect(controls, "Question", "All, each by its main claim", questions, show);
    const runs = makeSelect(controls, "Runs", "All", groups, show);

    function show() {
      figure.classList.toggle("overview-one", question.value !== "");
      for (const claim of claims) {
        claim.hidden = question.value ? claim.dataset.question !== question.value : !("main" in claim.dataset);
      }
      for (const line of lines) line.hidden = runs.value !== "" && line.dataset.runs !== runs.value;
      // Explain only the marks that are visible.
      const visible = lines.filter((line) => !line.hidden && !line.closest("li").hidden);
      for (const mark of marks) {
        mark.hidden = !visible.some((line) => line.dataset.outcome === mark.dataset.outcome);
      }
    }

    // Take the page from a link in the table below; all claims are on the same page.
    const linked = document.querySelector("a[href*='#claim-']");
    for (const claim of linked ? claims : []) {
      const [words, statement] = claim.children;
      const link = add(claim, "a", { href: linked.href.replace(/#.*/, `#claim-${claim.dataset.claim}`) });
      words.before(link);
      link.append(words, statement);
    }
  }

  for (const figure of document.querySelectorAll(".overview")) start(figure);
});
