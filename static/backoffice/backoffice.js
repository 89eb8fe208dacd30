// One press is one request: a button that acts is switched off once its form is on its way.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || !button.classList.contains("act") || event.target.id !== "post") return;
  // After the browser has read the button's address.
  setTimeout(() => {
    for (const each of document.querySelectorAll(".act[form=post]")) each.disabled = true;
  });
});

// What is shown once can be copied. Browsers lend the clipboard to pages that came by HTTPS, or from this machine.
document.addEventListener("DOMContentLoaded", () => {
  for (const copy of document.querySelectorAll("[data-copied]")) copy.hidden = !navigator.clipboard;
});
document.addEventListener("click", async (event) => {
  const copy = event.target.closest?.("[data-copied]");
  if (!copy) return;
  await navigator.clipboard.writeText(copy.previousElementSibling.textContent.trim());
  copy.textContent = copy.dataset.copied;
});

// A page taken from the browser's memory ("back") is usable again.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const each of document.querySelectorAll(".act[form=post]")) each.disabled = false;
});
