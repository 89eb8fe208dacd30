// Shows of each rule what applies to it. The server clears what is hidden, so that nothing here has to be trusted.
"use strict";

(() => {
  const { Editor, catalogue } = window.Conditions;
  const words = catalogue.words;
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
    followGives(group, amountKind);
    reveal(group, "percent", amountKind.value === "percent");
    reveal(group, "match", (editors.get(source)?.rows.length || 0) > 1);
    amountKind.querySelector('option[value="percent"]').disabled = !kind.has_amount && amountKind.value !== "percent";
    tell(trigger, kind.meaning);
    revealLadder();
  }

  // What is given says whether an amount is asked for, and of what.
  function followGives(group, amountKind) {
    const gives = fieldIn(group, "gives").value;
    const asked = catalogue.gives[gives];
    const amount = fieldIn(group, "amount_points");
    const awaits = fieldIn(group, "awaits").value;
    // What the server has refused stays visible until it is mended.
    reveal(group, "amount_kind", isShared(gives) || amountKind.value !== "fixed");
    reveal(group, "amount_points", amountKind.value === "fixed" && asked !== null);
    reveal(group, "awaits_name", awaits === catalogue.custom);
    reveal(group, "awaits_days", awaits !== "");
    if (!asked) return;
    amount.step = 1 / 10 ** asked.digits;
    const label = group.querySelector(`label[for="${amount.id}"]`);
    if (label) label.firstChild.textContent = asked.label + " ";
    // The label says it now.
    amount.parentElement.querySelectorAll(".leading-relaxed:not(.kind-meaning)").forEach((help) => help.remove());
    tell(amount, asked.offered.length ? words.offered.replace("%s", asked.offered.join("; ")) : "");
  }

  // Of a certificate there are a few values: the first of them rather than one that there is not.
  function offer(amount, asked) {
    if (asked && asked.offered.length && !asked.offered.includes(amount.value)) amount.value = asked.offered[0];
  }

  const isShared = (value) => catalogue.shared.includes(value.split(":")[0]);

  // What it gives besides: rows that are empty wait until somebody asks for one.
  function beginExtras(box) {
    const rows = [...box.children];
    const add = button("act-plain extras-add", "+ " + words.add_extra);
    const settle = () => add.classList.toggle("is-away", !rows.some((row) => row.classList.contains("is-away")));
    for (const row of rows) {
      const [what, amount] = [row.querySelector("select"), row.querySelector("input")];
      const follow = () => {
        const asked = catalogue.gives[what.value];
        amount.classList.toggle("is-idle", asked === null || !what.value);
        amount.placeholder = asked ? (asked.offered.join("; ") || asked.label) : "";
        if (amount.classList.contains("is-idle")) amount.value = "";
      };
      const remove = button("act-danger", "×");
      remove.title = words.remove_extra;
      remove.setAttribute("aria-label", words.remove_extra);
      remove.addEventListener("click", () => {
        what.value = "";
        follow();
        row.classList.add("is-away");
        settle();
        add.focus();
      });
      what.addEventListener("change", follow);
      row.append(remove);
      row.classList.toggle("is-away", !what.value && !amount.value);
      follow();
    }
    add.addEventListener("click", () => {
      const row = rows.find((each) => each.classList.contains("is-away"));
      row.classList.remove("is-away");
      settle();
      row.querySelector("select").focus();
    });
    box.append(add);
    settle();
  }

  function button(style, text) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "act " + style;
    made.textContent = text;
    return made;
  }

  // What the chosen kind of event means, below it.
  function tell(field, meaning) {
    // Outside of the box whose middle the arrow of a list stands in.
    const place = field.closest(".field-line > *");
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
    for (const name of ["amount_kind", "awaits"]) {
      fieldIn(group, name).addEventListener("change", () => follow(group));
    }
    fieldIn(group, "gives").addEventListener("change", (event) => {
      if (!isShared(event.target.value)) fieldIn(group, "amount_kind").value = "fixed";
      offer(fieldIn(group, "amount_points"), catalogue.gives[event.target.value]);
      follow(group);
    });
    beginExtras(group.querySelector("[data-extras]"));
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
