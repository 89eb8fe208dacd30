// Shows of each rule what applies to it. The server clears what is hidden, so that nothing here has to be trusted.
"use strict";

(() => {
  const { Editor, catalogue } = window.Conditions;
  const RULES = "rules";
  const editors = new WeakMap();

  const fieldIn = (group, name) => group.querySelector(`[name^="${RULES}-"][name$="-${name}"]`);

  function lineOf(element) {
    return element && (element.closest(".field-line") || element.closest(".form-row"));
  }

  function reveal(group, name, isShown) {
    const line = lineOf(fieldIn(group, name));
    if (line) line.classList.toggle("is-away", !isShown);
  }

  function follow(group) {
    const trigger = fieldIn(group, "trigger");
    const source = fieldIn(group, "conditions");
    const kind = catalogue.kinds[trigger.value] || { meaning: "", has_amount: false };
    const amountKind = fieldIn(group, "amount_kind");

    reveal(group, "custom_name", trigger.value === catalogue.custom);
    reveal(group, "order_number", trigger.value === "order.paid");
    reveal(group, "amount_points", amountKind.value === "fixed");
    reveal(group, "percent", amountKind.value === "percent");
    reveal(group, "match", (editors.get(source)?.rows.length || 0) > 1);
    amountKind.querySelector('option[value="percent"]').disabled = !kind.has_amount && amountKind.value !== "percent";
    tell(trigger, kind.meaning);
    revealLadder();
  }

  // What the chosen kind of event means, below it.
  function tell(trigger, meaning) {
    // Outside of the box whose middle the arrow of the list stands in.
    const place = trigger.parentElement.parentElement;
    let note = place.querySelector(".kind-meaning");
    if (!note) {
      note = document.createElement("div");
      note.className = "kind-meaning leading-relaxed mt-2 text-xs";
      note.setAttribute("aria-live", "polite");
      place.append(note);
    }
    note.textContent = meaning;
  }

  // The ladder is there for rules that pay by it, and while it has steps that somebody filled in.
  function revealLadder() {
    const ladder = document.getElementById("tiers-group");
    if (!ladder) return;
    const kinds = document.querySelectorAll(`[name^="${RULES}-"][name$="-amount_kind"]:not([name*="__prefix__"])`);
    const isUsed = [...kinds].some((each) => each.value === "tiers");
    const inputs = ladder.querySelectorAll('input[name^="tiers-"][name$="-from_count"]:not([name*="__prefix__"])');
    const isFilled = [...inputs].some((each) => each.value);
    ladder.classList.toggle("is-away", !isUsed && !isFilled);
  }

  function begin(group) {
    const source = fieldIn(group, "conditions");
    const trigger = fieldIn(group, "trigger");
    if (!source || !trigger || editors.has(source)) return;
    editors.set(source, new Editor(source));
    editors.get(source).show(trigger.value);
    trigger.addEventListener("change", () => {
      editors.get(source).show(trigger.value);
      follow(group);
    });
    fieldIn(group, "amount_kind").addEventListener("change", () => follow(group));
    source.addEventListener("change", () => follow(group));
    follow(group);
  }

  const groups = () => document.querySelectorAll(`#${RULES}-data .form-group:not(.empty-form)`);
  groups().forEach(begin);
  revealLadder();
  // Django tells of a rule that was added to the form.
  document.addEventListener("formset:added", () => groups().forEach(begin));
  document.addEventListener("formset:removed", revealLadder);
})();
