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
