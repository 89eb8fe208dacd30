// Asks for the days of a limit only where it is one of so many days. The server clears what is hidden.
"use strict";

(() => {
  const ROLLING = "rolling";
  const NAME = /^(?:limits-.*-)?period$/;

  function follow(period) {
    const prefix = period.name.slice(0, -"period".length);
    const days = document.querySelector(`[name="${prefix}days"]`);
    if (!days) return;
    // A row of a table keeps its cell, or its neighbours would move.
    const inTable = days.closest("td");
    const away = inTable ? days : days.closest(".field-line") || days.closest(".form-row") || days;
    away.classList.toggle("hidden", period.value !== ROLLING);
    // On a telephone a row of the table is a list, where an empty cell would be a name without a field.
    inTable?.classList.toggle("is-away", period.value !== ROLLING);
    days.required = false;
  }

  function followAll() {
    document.querySelectorAll('select[name$="period"]').forEach((period) => {
      if (NAME.test(period.name)) follow(period);
    });
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches('select[name$="period"]') && NAME.test(event.target.name)) follow(event.target);
  });
  document.addEventListener("formset:added", followAll);
  document.addEventListener("DOMContentLoaded", followAll);
  if (document.readyState !== "loading") followAll();
})();
