// The page of the shop. All that it asks Sarafan for, it asks with a publishable key.
const LOOK_EVERY_MS = 3000;
const $ = (selector) => document.querySelector(selector);

function line(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

async function ask(path, options = {}) {
  const answer = await fetch(`${shop.api}/api/v1${path}`, {
    ...options,
    headers: { Authorization: `Bearer ${shop.publishable_key}`, ...options.headers },
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

async function showOffers() {
  const [gifts, campaigns] = await Promise.all([ask("/catalogue?limit=12"), ask("/campaigns?limit=12")]);
  $("[data-gifts]").replaceChildren(
    ...gifts.data.map((gift) => line("li", line("b", gift.name), `${gift.price.toLocaleString("en")} ${gift.asset}`)),
  );
  $("[data-campaigns]").replaceChildren(
    ...campaigns.data.map((each) => line("li", line("b", each.name), `: ${each.sentences[0] ?? ""}`)),
  );
}

async function report(event) {
  event.preventDefault();
  const shown = $("[data-clicked]");
  try {
    const visitor = localStorage.getItem("visitor") ?? undefined;
    const body = JSON.stringify({ code: $("#code").value, channel: "site", visitor });
    const click = await ask("/clicks", { method: "POST", body, headers: { "Content-Type": "application/json" } });
    localStorage.setItem("visitor", click.visitor);
    shown.className = "good";
    shown.textContent = `Counted. Send click_id ${click.click_id} with member.joined, and the friend is credited.`;
  } catch (refused) {
    shown.className = "bad";
    shown.textContent = refused.message;
  }
}

function row(message) {
  const when = new Date(message.at * 1000).toLocaleTimeString("en", { hour12: false });
  const { member, ...rest } = message.data;
  const plain = Object.entries(rest).filter(([, value]) => value !== "" && value !== null && typeof value !== "object");
  const data = plain.map(([name, value]) => `${name}: ${value}`);
  if (member) data.unshift(`member: ${member.external_id}`);
  const told = line("td", message.kind || "Not read", line("small", data.join(", ")), line("small", message.id));
  const status = line("b", String(message.status));
  status.className = message.status < 300 ? "good" : "bad";
  const signed = message.signatures === 2 ? " Signed twice: the secret was replaced lately." : "";
  return line("tr", line("td", when), told, line("td", status, line("small", message.note + signed)));
}

async function showMessages() {
  const { messages } = await (await fetch("/messages.json")).json();
  if (messages.length) $("[data-messages]").replaceChildren(...messages.map(row));
}

async function refuse() {
  await fetch("/refusals", { method: "POST" });
  $("[data-refused]").textContent = "Done. Send a test from the back office, and watch it come twice.";
}

function introduce() {
  const texts = {
    origin: location.origin,
    api: shop.api,
    key: shop.publishable_key.slice(0, 17) + "…",
    hook: `${location.origin.replace("localhost", "127.0.0.1")}/webhooks`,
  };
  for (const [name, text] of Object.entries(texts)) $(`[data-text=${name}]`).textContent = text;
  $("[data-link=admin]").href = shop.admin;
  const isNamed = location.origin === shop.url;
  const other = new URL(location.href);
  other.hostname = isNamed ? "127.0.0.1" : "localhost";
  const link = line("a", other.origin);
  link.href = other.href;
  const words = isNamed ? "See the same page from an origin that the key does not name: " : "The key names another origin: ";
  $("[data-other]").replaceChildren(words, link);
}

async function open() {
  const verdict = $("[data-verdict]");
  try {
    await showOffers();
    verdict.className = "verdict good";
    verdict.textContent = "The browser let the page read the answer: the key names this origin.";
  } catch (refused) {
    $("[data-offers]").hidden = true;
    verdict.className = "verdict bad";
    verdict.textContent =
      location.origin === shop.url
        ? `The API does not answer: ${refused.message}`
        : "The browser kept the answer from the page: the key does not name this origin.";
  }
}

const shop = await (await fetch("/shop.json")).json();
introduce();
$("[data-click]").addEventListener("submit", report);
$("[data-refuse]").addEventListener("click", refuse);
const code = new URLSearchParams(location.search).get("ref");
if (code) $("#code").value = code;
await open();
await showMessages();
setInterval(showMessages, LOOK_EVERY_MS);
