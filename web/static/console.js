// The console's only script. Every page works without it; it adds live pages, copying, filtering
// while typing, and keys.
"use strict";

// A page with data-live="/address" gets patches of itself from there as server-sent events.
for (const box of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(box.dataset.live);
  source.addEventListener("patch", (event) => {
    const patch = JSON.parse(event.data);
    const target = document.getElementById(patch.id);
    if (!target) return;
    target.innerHTML = patch.html; // made and escaped by the server's templates
    nameAll(target);
  });
  source.addEventListener("reload", () => { source.close(); location.reload(); });
  source.addEventListener("end", () => source.close());
  addEventListener("pagehide", () => source.close());
}

// data-print prints the page, everything unfolded.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const fold of document.querySelectorAll("details.fold-print")) fold.open = true;
    window.print();
  });
}

// The cells of a table learn the names of their columns, which a phone shows before them; tables whose
// columns are to be compared (matrices, calendars) stay tables.
const name = (table) => {
  const heads = [...table.querySelectorAll("thead tr:last-child > th")].map((th) => th.textContent.trim());
  if (heads.length < 3 || table.matches(".matrix, .calendar")) return;
  for (const row of table.querySelectorAll("tbody > tr")) {
    if (row.cells.length !== heads.length || row.cells[0].colSpan > 1) continue;
    for (const [i, cell] of [...row.cells].entries()) if (i > 0 && heads[i] && !cell.querySelector(":scope > .badge, :scope > a > .badge")) cell.dataset.column = heads[i];
  }
  table.classList.add("named");
  // A table that is not laid out as one is still told as one.
  table.setAttribute("role", "table");
  for (const group of table.querySelectorAll("thead, tbody, tfoot")) group.setAttribute("role", "rowgroup");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    for (const cell of row.cells) cell.setAttribute("role", cell.tagName === "TD" ? "cell" : cell.closest("thead") ? "columnheader" : "rowheader");
  }
};
const nameAll = (box) => { for (const table of box.querySelectorAll(".table table")) name(table); };
nameAll(document);

// data-copy="text" copies it; the button shows only where copying works.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("ink-good");
    setTimeout(() => button.classList.remove("ink-good"), 1200);
  });
}

// <input data-filter="#rows"> hides the children of #rows (or rows of its table bodies) that do not
// hold what is typed. Without script the form that it stands in asks the server.
for (const input of document.querySelectorAll("[data-filter]")) {
  const box = document.querySelector(input.dataset.filter);
  if (!box) continue;
  const items = () => box.querySelectorAll(box.tagName === "TABLE" ? "tbody > tr" : ":scope > *");
  input.addEventListener("input", () => {
    const want = input.value.trim().toLowerCase();
    for (const item of items()) item.hidden = want !== "" && !item.textContent.toLowerCase().includes(want);
  });
}

// A form or list that should follow a choice at once: <select data-submit>.
for (const field of document.querySelectorAll("[data-submit]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// data-confirm="question" on a form asks before it is sent.
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });
}

// <details data-when="field" data-is="a b"> opens while the field has one of the values, and closes when
// it has another. Without script the server opens what matters when the form comes again.
for (const fold of document.querySelectorAll("details[data-when]")) {
  const field = document.getElementsByName(fold.dataset.when)[0];
  if (field) field.addEventListener("change", () => { fold.open = fold.dataset.is.split(" ").includes(field.value); });
}

// A form is sent once: a second click waits for the answer of the first.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000); // an answer may be a file, and the page stays
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent; });

// Sheets (details[data-sheet]) close on Escape and on a click elsewhere; one is open at a time.
const close = (except) => { for (const sheet of document.querySelectorAll("details[data-sheet][open]")) if (sheet !== except) sheet.open = false; };
document.addEventListener("click", (event) => close(event.target.closest("details[data-sheet]")));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const open = document.querySelector("details[data-sheet][open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    if (location.hash === "#areas") location.hash = "#main";
    return;
  }
  // data-key="/" puts the caret there, unless somebody is writing.
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const field = [...document.querySelectorAll("[data-key]")].find((f) => f.dataset.key === event.key && f.offsetParent);
  if (field) { event.preventDefault(); field.focus(); }
});
