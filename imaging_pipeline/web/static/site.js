"use strict";

// Whoever was refused begins at the first wrong field.
function atFirstWrong(root) {
  const wrong = root.querySelector("[aria-invalid='true']");
  if (wrong) wrong.focus();
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
// It may be sent again by whoever comes back to it.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

document.addEventListener("DOMContentLoaded", () => atFirstWrong(document));
document.addEventListener("htmx:afterSwap", (event) => atFirstWrong(event.target));
