// The form of an entry; it works without this, too.

// The search box for procedures is inside the form: Enter there searches, it does not save.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-no-submit]")) event.preventDefault();
});

// A procedure that is picked from the results joins the chosen ones, so that the next search does not lose it.
document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.dataset.fill) {
    // One procedure only: its code goes into the field, its name below the label.
    const field = document.getElementById(box.dataset.fill);
    const hint = document.getElementById(`${box.dataset.fill}-hint`);
    field.value = box.value;
    hint.textContent = box.nextElementSibling.firstChild.textContent;
    hint.hidden = false;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    return;
  }
  const chosen = document.getElementById("chosen");
  if (!chosen || !box.checked || !box.closest("#pick-results")) return;
  const twin = [...chosen.querySelectorAll("input")].find((other) => other.value === box.value);
  if (twin) {
    twin.checked = true;
    box.closest("li").remove();
    twin.focus();
    return;
  }
  chosen.append(box.closest("li"));
  box.focus();
});

// A code that is typed is no longer the procedure whose name stands there.
document.getElementById("procedure")?.addEventListener("input", (event) => {
  if (event.isTrusted) document.getElementById("procedure-hint").hidden = true;
});

// One more empty source, copied from the last.
const add = document.querySelector("[data-add-source]");
if (add) {
  add.hidden = false;
  add.addEventListener("click", () => {
    const rows = document.querySelectorAll(".source");
    const last = rows[rows.length - 1];
    const row = last.cloneNode(true);
    row.setAttribute("aria-label", `Nguồn ${rows.length + 1}`);
    row.querySelectorAll(".field-error, a").forEach((each) => each.remove());
    row.querySelectorAll("[id]").forEach((each) => { each.id = each.id.replace(/\d+/, rows.length); });
    row.querySelectorAll("label").forEach((each) => { each.htmlFor = each.htmlFor.replace(/\d+/, rows.length); });
    row.querySelectorAll("input").forEach((each) => {
      each.value = "";
      each.removeAttribute("aria-invalid");
      each.removeAttribute("aria-describedby");
    });
    last.after(row);
    row.querySelector("input").focus();
    if (rows.length + 1 >= 8) add.remove();
  });
}
