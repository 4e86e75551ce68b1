/* A filter above the tables in `filterable` parts of a page: only rows that contain all typed words remain. */
document.addEventListener("DOMContentLoaded", () => {
  const tables = [...document.querySelectorAll(".filterable table")];
  if (!tables.length) return;
  const rows = tables.flatMap((table) => [...table.tBodies].flatMap((body) => [...body.rows]));
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  label.className = "filter";
  label.append("Filter the runs ", input, " ", count);
  input.type = "search";
  input.placeholder = "v1 trsf collapsed";
  count.setAttribute("aria-live", "polite");
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
    // Open collapsed tables that contain matching rows.
    for (const table of tables) {
      const fold = table.closest("details");
      if (fold && words.length) fold.open = [...table.tBodies].flatMap((body) => [...body.rows]).some((row) => !row.hidden);
    }
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = `${shown} of ${rows.length} runs`;
  };
  input.addEventListener("input", apply);
  tables[0].closest(".filterable").closest("section").before(label);
  apply();
});
