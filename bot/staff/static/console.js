// What every page of the console shares; the pages work without it.

// A form with data-confirm asks once more before it is sent.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A form that was changed and not sent is not left by accident.
const touched = new Set();
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-guard]");
  if (form) touched.add(form);
});
document.addEventListener("submit", (event) => {
  if (event.submitter?.formTarget !== "_blank") touched.delete(event.target);
});
window.addEventListener("beforeunload", (event) => {
  if ([...touched].some((form) => form.isConnected)) event.preventDefault();
});

// A field that a refused form complains about gets the focus.
document.querySelector("[aria-invalid=true]")?.focus();

// htmx shows what a refused form answers (422), rather than nothing.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// On a phone the rows of a table become lists (console.css): each cell then says what its column is called. The roles
// keep it a table for those who have it read aloud.
function stack(root) {
  for (const table of root.querySelectorAll(".scroll > table:not(.wide)")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    table.classList.add("stacks");
    table.setAttribute("role", "table");
    for (const part of table.querySelectorAll("thead, tbody")) part.setAttribute("role", "rowgroup");
    for (const head of table.querySelectorAll("thead th")) head.setAttribute("role", "columnheader");
    for (const row of table.rows) row.setAttribute("role", "row");
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, at) => {
        cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
        cell.dataset.label = heads[at] ?? "";
        cell.classList.toggle("none", !cell.textContent.trim());
      });
    }
  }
}
document.addEventListener("DOMContentLoaded", () => stack(document));
document.addEventListener("htmx:load", (event) => stack(event.detail.elt.parentElement ?? document));
