// The moderation queue and the page of a case by keyboard. All of it is possible by mouse, too.
"use strict";

(() => {
  const PLACE = "moderation:place";
  const rows = () => [...document.querySelectorAll("#result_list tr.data-row")];
  const help = () => document.getElementById("keys");
  let here = -1;

  function stand(at, quietly) {
    const all = rows();
    if (!all.length) return;
    here = Math.max(0, Math.min(at, all.length - 1));
    all.forEach((row, number) => row.classList.toggle("is-here", number === here));
    if (quietly) return;
    all[here].scrollIntoView({ block: "nearest" });
    all[here].querySelector(".field-who a")?.focus({ preventScroll: true });
  }

  // What a key is about: the line where one stands, or all of a case's page.
  function scope() {
    if (!rows().length) return document.getElementById("result_list") ? null : document;
    return here < 0 ? null : rows()[here];
  }

  function press(what) {
    const button = scope()?.querySelector(`button[formaction*="/${what}/"]`);
    if (!button || button.disabled) return;
    // The next case takes the place of one that leaves the queue.
    if (here >= 0) sessionStorage.setItem(PLACE, String(here));
    button.click();
  }

  function undo() {
    const told = document.querySelector('.message-with-act button[formaction$="/undo/"]');
    const button = told || scope()?.querySelector('button[formaction$="/undo/"]');
    if (!button || button.disabled) return;
    if (here >= 0) sessionStorage.setItem(PLACE, String(here));
    button.click();
  }

  function move(by) {
    if (rows().length) stand(here < 0 ? 0 : here + by);
    else document.querySelector(by > 0 ? "a[rel=next]" : "a[rel=prev]")?.click();
  }

  function open() {
    if (here >= 0) rows()[here].querySelector(".field-who a")?.click();
  }

  function tick() {
    if (here >= 0) rows()[here].querySelector("input.action-select")?.click();
  }

  function toggleHelp() {
    const dialog = help();
    if (!dialog) return;
    if (dialog.open) dialog.close();
    else dialog.showModal();
  }

  const ACTS = {
    j: () => move(1),
    k: () => move(-1),
    o: open,
    a: () => press("approve"),
    r: () => press("reject"),
    u: undo,
    x: tick,
    "?": toggleHelp,
  };

  function isWriting(target) {
    return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== "checkbox";
  }

  // On a keyboard of other letters it is the place of the key that counts: "ф" is where "a" is.
  function keyOf(event) {
    const isLatin = /^[a-z]$/i.test(event.key) || !event.code.startsWith("Key");
    return isLatin ? event.key.toLowerCase() : event.code.slice(3).toLowerCase();
  }

  // Enter is not among them: it follows the link that has the focus, which is that of the line where one stands.
  document.addEventListener("keydown", (event) => {
    const key = keyOf(event);
    const act = ACTS[key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    if (event.repeat && key !== "j" && key !== "k") return;
    if (help()?.open && key !== "?") return;
    event.preventDefault();
    act();
  });

  function begin() {
    document.querySelectorAll(".keys-hint").forEach((hint) => { hint.hidden = false; });
    document.querySelectorAll("[data-keys=open]").forEach((button) => button.addEventListener("click", toggleHelp));
    const kept = sessionStorage.getItem(PLACE);
    sessionStorage.removeItem(PLACE);
    if (kept !== null) stand(Number(kept));
    // Where the mouse has been, the keys go on.
    document.getElementById("result_list")?.addEventListener("focusin", (event) => {
      const at = rows().indexOf(event.target.closest("tr.data-row"));
      if (at >= 0) stand(at, true);
    });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
