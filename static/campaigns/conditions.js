// Rows of conditions in place of the JSON that they are stored as. Without this script the text area stays usable.
"use strict";

window.Conditions = (() => {
  const catalogue = JSON.parse(document.getElementById("campaign-catalogue").textContent);
  const words = catalogue.words;

  // Small makers

  function made(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function select(label, pairs, chosen) {
    const options = pairs.map(([value, text]) => made("option", { value }, text));
    const element = made("select", { class: "field", "aria-label": label }, ...options);
    element.value = chosen;
    if (element.selectedIndex < 0) element.selectedIndex = 0;
    return element;
  }

  // One set of rows for one text area

  class Editor {
    constructor(source) {
      this.source = source;
      this.kind = "";
      this.rows = parsed(source.value);
      this.box = made("div", { class: "conditions" });
      source.after(this.box);
      source.hidden = true;
      source.classList.add("conditions-source");
    }

    fieldsOfKind() {
      return (catalogue.kinds[this.kind] || { fields: [] }).fields;
    }

    show(kind) {
      this.kind = kind;
      this.draw();
    }

    store() {
      this.source.value = JSON.stringify(this.rows);
      this.source.dispatchEvent(new Event("change", { bubbles: true }));
    }

    draw() {
      const add = made("button", { type: "button", class: "act act-plain conditions-add" }, "+ " + words.add);
      add.disabled = this.rows.length >= catalogue.rows_max || !this.fieldsOfKind().length;
      add.addEventListener("click", () => this.add());
      this.box.replaceChildren(...this.rows.map((row, index) => this.drawn(row, index)), add);
    }

    drawn(row, index) {
      const fields = this.fieldsOfKind();
      const field = fields.find((each) => each.name === row.field);
      const named = fields.map((each) => [each.name, each.label]);
      // A field of the kind that was chosen before stays visible, so that nobody wonders where it went.
      if (!field) named.unshift([row.field, words.unknown.replace("%s", row.field)]);
      const offered = field ? field.operators : Object.keys(catalogue.operators);

      const what = select(words.field, named, row.field);
      const how = select(words.operator, offered.map((name) => [name, catalogue.operators[name]]), row.operator);
      const remove = made(
        "button", { type: "button", class: "act act-danger condition-remove", "aria-label": words.remove, title: words.remove }, "×",
      );
      what.addEventListener("change", () => this.change(index, { ...newRow(fields, what.value) }, 0));
      how.addEventListener("change", () => this.change(index, { ...row, operator: how.value }, 1));
      remove.addEventListener("click", () => this.remove(index));
      return made("div", { class: "condition" }, what, how, this.value(row, index, field), remove);
    }

    value(row, index, field) {
      const keep = (value) => {
        this.rows[index].value = value;
        this.store();
      };
      if (field && field.type === "boolean") {
        const yesNo = select(words.value, [["true", words.yes], ["false", words.no]], String(row.value));
        yesNo.addEventListener("change", () => keep(yesNo.value === "true"));
        return yesNo;
      }
      if (field && field.choices.length) return this.picked(row, field, keep);
      const input = made("input", { class: "field", "aria-label": words.value, autocomplete: "off", maxlength: "2000" });
      const isNumber = field && (field.type === "money" || field.type === "integer");
      input.type = "text";
      input.inputMode = isNumber ? (field.type === "money" ? "decimal" : "numeric") : "text";
      input.value = row.value;
      input.placeholder = row.operator === "one_of"
        ? words.several
        : field ? words.example.replace("%s", field.example) : "";
      input.addEventListener("input", () => keep(input.value));
      return input;
    }

    // One of a list, or several. What is on it no more stays visible, so that nobody wonders where it went.
    picked(row, field, keep) {
      const isOfSeveral = row.operator === "one_of";
      const chosen = isOfSeveral ? listed(row.value) : listed(row.value).slice(0, 1);
      const gone = chosen.filter((value) => !field.choices.some(([known]) => known === value));
      const offered = [...field.choices, ...gone.map((value) => [value, value])];
      const list = select(words.value, offered, chosen[0]);
      const tell = () => keep(isOfSeveral ? [...list.selectedOptions].map((option) => option.value) : list.value);
      if (isOfSeveral) {
        list.multiple = true;
        list.size = Math.min(offered.length, 6);
        for (const option of list.options) option.selected = chosen.includes(option.value);
      } else if (list.value !== row.value) {
        tell();
      }
      list.addEventListener("change", tell);
      return list;
    }

    add() {
      this.rows.push(newRow(this.fieldsOfKind(), this.fieldsOfKind()[0].name));
      this.redraw(this.rows.length - 1, 0);
    }

    remove(index) {
      this.rows.splice(index, 1);
      this.redraw(Math.min(index, this.rows.length - 1), 0);
    }

    change(index, row, place) {
      this.rows[index] = row;
      this.redraw(index, place);
    }

    // The keyboard stays where it was, or goes to the nearest row.
    redraw(index, place) {
      this.store();
      this.draw();
      const row = this.box.querySelectorAll(".condition")[index];
      (row ? row.children[place] : this.box.lastElementChild).focus();
    }
  }

  function newRow(fields, name) {
    const field = fields.find((each) => each.name === name) || { type: "text", operators: ["equals"] };
    const first = (field.choices || []).length ? field.choices[0][0] : "";
    return { field: name, operator: field.operators[0], value: field.type === "boolean" ? true : first };
  }

  // Several values as the form shows them, with commas between, or as they have just been picked.
  function listed(value) {
    return Array.isArray(value) ? value : String(value).split(",").map((part) => part.trim()).filter(Boolean);
  }

  function parsed(text) {
    try {
      const rows = JSON.parse(text || "[]");
      return Array.isArray(rows) ? rows.filter((row) => row && typeof row === "object") : [];
    } catch {
      return [];
    }
  }

  return { Editor, catalogue };
})();
