// What the console's own pages add where scripts run. Every page works without any of it.
"use strict";

// A form that was sent is not sent twice by a double click; the server would give the stored answer again anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent === "yes") {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});

// A page that comes back from the browser's cache takes its forms up again.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
  }
});

// After a refusal the summary of errors is read first, and after an act its outcome.
const first = document.querySelector("[data-focus-first]");
if (first) {
  first.focus();
}
