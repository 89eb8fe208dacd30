// Reads messages with the library of Standard Webhooks, each at its own time: a list of them as JSON comes in, and for
// each what the library returned, or what it said against it, goes out.
const { Webhook, WebhookVerificationError } = require("standardwebhooks");
const { readFileSync } = require("node:fs");

function read({ secret, headers, body, at_ms: at }) {
  Date.now = () => at;
  try {
    return { message: new Webhook(secret).verify(Buffer.from(body, "base64"), headers) };
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return { refused: error.message };
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf-8")).map(read)));
