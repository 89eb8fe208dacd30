// Asks how far an upload is, and shows the page anew once it is over.
const upload = document.getElementById("upload");
const bar = upload.querySelector("progress");

async function look() {
  try {
    const answer = await fetch(upload.dataset.url, { headers: { Accept: "application/json" } });
    const told = await answer.json();
    bar.value = told.done;
    upload.querySelector("[data-done]").textContent = told.done.toLocaleString(document.documentElement.lang);
    if (told.state !== "working") return location.reload();
  } catch {
    // The next look may succeed.
  }
  setTimeout(look, 700);
}

setTimeout(look, 300);
