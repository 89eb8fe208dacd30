// Sarafan in a page without a backend: docs/api/without-backend.md. It reads nothing that people type.
((tenant) => {
  "use strict";
  const tags = [document.currentScript, document.querySelector("script[data-sarafan-key]")];
  const { sarafanKey: key, consent } = tags.find((tag) => tag?.dataset?.sarafanKey)?.dataset || {};
  // Site builders put a block in twice, and tag managers come after them.
  if (!key || window.sarafan?.consent) return;

  const STORE = "sarafan";
  const TIMEOUT_MS = 5000;
  const DAY_MS = 86400000;
  // Opened again so soon, a page with a code is no other click.
  const SAME_CLICK_MS = 1800000;
  const UTM = ["source", "medium", "campaign", "term", "content"];
  const NOT_OURS = "[data-sarafan-ignore], [data-sarafan-ignore] *, [method=get i], [role=search]";
  const PAYMENT = "[autocomplete*=cc-]";
  const given = new URLSearchParams(location.search);
  let kept = {};
  let isOn = false;

  try {
    kept = { ...JSON.parse(localStorage.getItem(STORE)) };
  } catch {
    // Storage is refused, or was spoilt: what is known holds for this page alone.
  }

  function keep() {
    const text = JSON.stringify(kept);
    try {
      if (text === "{}") localStorage.removeItem(STORE);
      else localStorage.setItem(STORE, text);
    } catch {
      // As above.
    }
  }

  async function ask(path, body) {
    let timer;
    try {
      const stop = new AbortController();
      timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
      const answer = await fetch(tenant.api + path, {
        method: body ? "POST" : "GET",
        headers: { Authorization: `Bearer ${key}`, ...(body && { "Content-Type": "application/json" }) },
        body: body && JSON.stringify(body),
        credentials: "omit",
        signal: stop.signal,
      });
      const told = await answer.json();
      return { status: answer.status, told: answer.ok && told };
    } catch {
      return { status: 0 };
    } finally {
      clearTimeout(timer);
    }
  }

  // `own` is for the page itself, and goes to no tag manager.
  function tell(name, told, own) {
    document.dispatchEvent(new CustomEvent(`sarafan:${name}`, { detail: { ...told, ...own } }));
    window.dataLayer?.push?.({ event: `sarafan:${name}`, ...told });
  }

  // Who invited the visitor

  const asked = (name, length) => (given.get(name) || "").trim().slice(0, length);

  async function arrive() {
    const at = Date.now();
    const utm = Object.fromEntries(UTM.map((name) => [name, asked(`utm_${name}`, 200)]).filter((each) => each[1]));
    const came = { code: asked("ref", 100), click_id: asked("click_id", 64), at, utm };
    const before = at - kept.touch?.at < tenant.days * DAY_MS ? kept.touch : undefined;
    const isSame =
      before?.click_id &&
      before.code === came.code &&
      (came.click_id ? before.click_id === came.click_id : at - before.at < SAME_CLICK_MS);
    kept.touch = before;
    if (came.code && !isSame) await touch(came, before);
    if (!isOn) return;
    keep();
    fillAll();
  }

  async function touch(came, before) {
    // The tenant's policy, as the server has it: the first touch counts, or the last.
    if (!before || tenant.touch === "last") kept.touch = came;
    keep();
    // A link of ours has counted its click already.
    if (!came.click_id) {
      const body = { code: came.code, utm: came.utm, channel: asked("ch", 50), visitor: kept.visitor };
      const { status, told } = await ask("clicks", body);
      if (!isOn) return;
      if (told) {
        came.click_id = told.click_id;
        kept.visitor = told.visitor;
      } else if (status > 399 && status < 500 && status !== 429) {
        kept.touch = before;
        return;
      }
    }
    tell("click", {}, { code: came.code, click_id: came.click_id });
  }

  // Forms

  const written = new WeakMap();

  function fill(form) {
    if (form.matches(NOT_OURS) || form.querySelector(PAYMENT)) return;
    for (const name of ["code", "click_id"]) {
      const value = (isOn && kept.touch?.[name]) || "";
      let field = form.querySelector(`[name=sarafan_${name}]`);
      if (!field && value) {
        field = document.createElement("input");
        field.type = "hidden";
        field.name = `sarafan_${name}`;
        form.append(field);
      }
      // What somebody has typed in stays, and of nobody's code nothing but our own is taken out.
      if (field && (!field.value || written.get(field) === field.value || (value && field.type === "hidden"))) {
        field.value = value;
        written.set(field, value);
      }
    }
  }

  const fillAll = () => document.querySelectorAll("form").forEach(fill);

  function watch() {
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        if (node.matches?.("form")) fill(node);
        node.querySelectorAll?.("form").forEach(fill);
      }
    }).observe(document, { childList: true, subtree: true });
    // A page that draws its forms anew may have lost the fields.
    addEventListener("submit", ({ target }) => {
      fill(target);
      // `target.id` is the field of that name, if the form has one.
      const form = target.getAttribute("id") || "";
      if (target.querySelector("[name=sarafan_code]")?.value) tell("submit", { form });
    }, true);
  }

  // What is on offer

  const CSS = `
:host { display: block }
:host([hidden]) { display: none }
div { --i: #0f172a; --p: #f1f5f9; --a: #1d4ed8; --o: #fff; font: var(--sarafan-font, inherit); line-height: 1.5;
  overflow-wrap: anywhere }
@supports (color: light-dark(red, red)) {
  div { --i: light-dark(#0f172a, #e2e8f0); --p: light-dark(#f1f5f9, #1e293b); --a: light-dark(#1d4ed8, #93c5fd);
    --o: light-dark(#fff, #0f172a) }
}
.banner, .inset { padding: 1em 1.25em; color: var(--sarafan-ink, var(--i)); background: var(--sarafan-paper, var(--p));
  border-radius: var(--sarafan-radius, .5em) }
.banner { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 1em }
.banner section { flex: 1 1 15em }
.inset { border-inline-start: .25em solid var(--sarafan-accent, var(--a)) }
h2 { margin: 0; font-size: 1.15em; line-height: 1.3 }
p { margin: .35em 0 0 }
.link { display: inline-block; box-sizing: border-box; min-height: 44px; padding: .6em 1.2em; border: 0; font: inherit;
  font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
  color: var(--sarafan-accent-ink, var(--o)); background: var(--sarafan-accent, var(--a));
  border-radius: var(--sarafan-radius, .5em) }
.inset .link { margin-top: 1em }
.link:hover { filter: brightness(.92) }
.link:focus-visible { outline: 3px solid var(--sarafan-accent, var(--a)); outline-offset: 2px }
@media (prefers-reduced-motion: no-preference) { .link { transition: filter .15s } }`;

  // Text goes in as text, and the rules as a sheet: no policy of the page (CSP) stands against either.
  function made(name, part, text = "") {
    const element = document.createElement(name);
    element.part = part;
    element.textContent = text;
    return element;
  }

  function addressOf(text) {
    try {
      const url = new URL(text, location.href);
      return text && /^https?:$/.test(url.protocol) ? url : null;
    } catch {
      return null;
    }
  }

  // Another site keeps its own memory: it is told who invited.
  function takeAlong(url) {
    if (isOn && kept.touch && url.origin !== location.origin) {
      const { code, click_id, utm } = kept.touch;
      const add = (name, value) => value && url.searchParams.set(name, value);
      add("ref", code);
      add("click_id", click_id);
      UTM.forEach((name) => add(`utm_${name}`, utm?.[name]));
    }
    return url;
  }

  class Offer extends HTMLElement {
    async connectedCallback() {
      const campaign = +this.getAttribute("campaign");
      if (this.shadowRoot || !(campaign > 0)) return;
      const root = this.attachShadow({ mode: "open" });
      const { told } = await ask(`campaigns/${campaign}?fields=name,sentences,landing_url`);
      if (!told) return;
      const wanted = this.getAttribute("format");
      const format = ["button", "banner"].includes(wanted) ? wanted : "inset";
      const url = addressOf(this.getAttribute("href") || told.landing_url || tenant.page);
      const box = made("div", "box");
      box.className = format;
      box.lang = tenant.language;
      if (format !== "button") {
        const words = made("section", "words");
        words.append(made("h2", "title", told.name), ...told.sentences.map((each) => made("p", "text", each)));
        box.append(words);
      }
      if (url || format === "button") {
        const label = this.getAttribute("label") || (format === "button" ? told.name : tenant.more);
        const link = made(url ? "a" : "button", "link", label);
        link.className = "link";
        if (url) link.href = url;
        link.onclick = () => {
          if (url) link.href = takeAlong(url);
          tell("offer", { campaign, format, action: "followed" });
        };
        box.append(link);
      }
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(CSS);
      root.adoptedStyleSheets = [sheet];
      root.append(box);
      tell("offer", { campaign, format, action: "shown" });
    }
  }

  // What the page may say

  function begin() {
    if (isOn) return;
    isOn = true;
    arrive();
  }

  window.sarafan = {
    consent() {
      kept.consent = true;
      keep();
      begin();
    },
    forget() {
      kept = {};
      isOn = false;
      keep();
      fillAll();
    },
  };
  watch();
  if (consent !== "wait" || kept.consent) begin();
  customElements.define("sarafan-offer", Offer);
})(SARAFAN_SETTINGS);
