// Copies and prints the code. The page is complete without it.
document.getElementById("print").addEventListener("click", () => window.print());

const copy = document.getElementById("copy");
copy.addEventListener("click", async () => {
  const code = document.getElementById("code");
  try {
    await navigator.clipboard.writeText(code.textContent.trim());
    copy.textContent = copy.dataset.done;
  } catch {
    // Not allowed here: select it, so that one can copy it by hand.
    getSelection().selectAllChildren(code);
  }
});
