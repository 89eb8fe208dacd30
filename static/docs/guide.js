// Snippets that say the same in several languages become tabs, and every snippet can be copied. Without this script all
// of them stand one under another.
const REMEMBERED = "sarafan-language";
const COPIED_MS = 1500;

const remembered = () => {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
};

const remember = (language) => {
  try {
    localStorage.setItem(REMEMBERED, language);
  } catch {
    // Somebody who lets nothing be kept chooses anew on each page.
  }
};

const button = (text, press) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", press);
  return made;
};

const groups = [...document.querySelectorAll(".languages")].filter((group) => group.children.length > 1);

const show = (language) => {
  for (const group of groups) {
    const figures = [...group.querySelectorAll("figure")];
    const chosen = figures.find((figure) => figure.dataset.language === language) ?? figures[0];
    for (const figure of figures) figure.hidden = figure !== chosen;
    for (const tab of group.querySelectorAll("[role=tab]")) {
      tab.setAttribute("aria-selected", String(tab.dataset.language === chosen.dataset.language));
    }
  }
};

for (const group of groups) {
  const tabs = document.createElement("div");
  tabs.className = "tabs";
  tabs.setAttribute("role", "tablist");
  for (const figure of group.querySelectorAll("figure")) {
    const { language } = figure.dataset;
    const tab = button(figure.querySelector("figcaption").textContent, () => {
      // What is above the reader may become longer or shorter: the tab stays under the pointer.
      const before = tab.getBoundingClientRect().top;
      remember(language);
      show(language);
      scrollBy(0, tab.getBoundingClientRect().top - before);
    });
    tab.setAttribute("role", "tab");
    tab.dataset.language = language;
    tabs.append(tab);
  }
  group.prepend(tabs);
}
show(remembered());

for (const figure of document.querySelectorAll("figure")) {
  const copy = button("Copy", async () => {
    await navigator.clipboard.writeText(figure.querySelector("code").textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), COPIED_MS);
  });
  copy.className = "copy";
  // Browsers lend the clipboard to pages that came by HTTPS, or from this machine.
  if (navigator.clipboard) figure.append(copy);
}

// On a phone the menu would be above everything.
if (matchMedia("(max-width: 60rem)").matches) document.querySelector(".menu details").open = false;
