// One press is one request: a button that acts is switched off once its form is on its way.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || !button.classList.contains("act") || event.target.id !== "post") return;
  // After the browser has read the button's address.
  setTimeout(() => {
    for (const each of document.querySelectorAll(".act[form=post]")) each.disabled = true;
  });
});

// A page taken from the browser's memory ("back") is usable again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const each of document.querySelectorAll(".act[form=post]")) each.disabled = false;
});
