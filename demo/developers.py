"""
What the record shop's developers do, all of it through the API.

In the sandbox they make fixtures; a program of theirs decides a case and exports the rewards; and their site is told
by webhook: of a review, of one that it refuses at first, and of one after its secret was replaced. What is done is left
out the next time.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import requests
from django.conf import settings

from demo import access, feed, feeding
from demo.acts import SIMULATED, Act
from demo.businesses import RECORD_SHOP
from demo.cheats import BUSY_SIGNUPS
from demo.client import Client
from demo.storefront import site
from tenants import context

FIXTURES: Final = ("referral", "antifraud")
DESCRIPTION: Final = "The shop's own site"
DECIDED_FOR: Final = f"sim-busy-{BUSY_SIGNUPS - 1}"
DECISION: Final = {"decision": "approve", "reason": "Their orders have arrived, at two addresses."}
TOLD, REFUSED, SIGNED_ANEW = "told", "refused at first", "signed anew"
REVIEWERS: Final = {TOLD: "sim-friend-002", REFUSED: "sim-friend-005", SIGNED_ANEW: "sim-friend-008"}
TIMEOUT_SECONDS: Final = 5.0
# As many sign at once, and then there is no other until one ends.
SECRETS_MAX: Final = 3


def set_up(*, path: Path, address: str, await_handled: Callable[[], None]) -> None:
    """
    Do what is left to do. `path` is the file with the keys, where the webhook's secret is noted as well.

    The site must be open.

    :raises feeding.NotSetUp:
    :raises demo.client.Refused: if the API does not take it
    """
    keys = access.within(access.read(path).get("keys"))
    live, test = (Client(address=address, key=str(keys.get(word, ""))) for word in access.ENVIRONMENTS)
    live.await_ready()
    with context.in_tenant(feeding.tenant_of(RECORD_SHOP).schema_name):
        webhook = _webhook(live, path)
        missing = feed.missing(_reviews())
        if len(missing) == len(REVIEWERS):
            _try_out(live, test)
        for act in missing:
            _before(act, live, webhook, path)
            live.report([act.body(codes={})])
            await_handled()


def _webhook(live: Client, path: Path) -> str:
    """Return the address, in the API, of the site's webhook: it is there then, and the site knows its secret."""
    url = f"http://{site.HOST}:{settings.DEMO_SHOP_PORT}{site.WEBHOOKS}"
    rows = live.get("/api/v1/webhooks")["data"]
    found = next((each for each in rows if each["description"] == DESCRIPTION), None)
    if found is None:
        found = live.tell("/api/v1/webhooks", {"url": url, "description": DESCRIPTION})
        access.note_webhook_secret(path, secret=found["secret"])
    here = f"/api/v1/webhooks/{found['id']}"
    if found["url"] != url:
        # Of a run at another port.
        live.change(here, {"url": url})
    if not access.within(access.read(path).get("shop")).get("webhook_secret"):
        _rotate(live, here, path)
    return here


def _try_out(live: Client, test: Client) -> None:
    for name in FIXTURES:
        test.tell("/api/v1/sandbox/fixtures", {"name": name})
    for case in live.get("/api/v1/cases?status=open&limit=100")["data"]:
        if DECIDED_FOR in {each["external_id"] for each in case["members"]}:
            live.tell(f"/api/v1/cases/{case['id']}/decision", {**DECISION, "seen": case["rewards_count"]})
    live.fetch("/api/v1/exports/rewards?format=csv")


def _reviews() -> list[Act]:
    return [
        Act(
            key=f"simulated:{who}:review:{what}",
            kind="custom.review",
            who={"external_id": who},
            at=None,
            data={"value": 4, "label": "Blue Train", "channel": "site", "extra": SIMULATED},
        )
        for what, who in REVIEWERS.items()
    ]


def _before(act: Act, live: Client, webhook: str, path: Path) -> None:
    what = act.key.rpartition(":")[2]
    if what == REFUSED:
        # Where the site is away the message comes again just as well.
        with suppress(requests.RequestException):
            here = f"http://{site.HOST}:{settings.DEMO_SHOP_PORT}{site.REFUSALS}"
            requests.post(here, timeout=TIMEOUT_SECONDS)
    elif what == SIGNED_ANEW:
        _rotate(live, webhook, path)


def _rotate(live: Client, webhook: str, path: Path) -> None:
    if len(live.get(webhook)["secrets"]) == SECRETS_MAX:
        # Whoever loses the file again and again within a day has none of the old ones.
        live.remove(f"{webhook}/rotation")
    answer: dict[str, Any] = live.tell(f"{webhook}/rotation", {})
    access.note_webhook_secret(path, secret=answer["secret"])
