"""A program that makes what others are to use up, over the same API: a certificate is cancelled once only."""

from collections.abc import Iterator, Mapping
from itertools import count, cycle
from random import Random
from typing import Any

import requests

SECONDS_MAX = 60
WEBHOOKS_KEPT = 6
# They have points, and nobody bans, merges or erases them.
RICH = ("rita", "rolf", "rosa")


class NotMade(Exception):
    """The API has refused to make it."""


class Maker:
    """
    Makes one of something, ready to be used up. `failed` are the ids of failed events, which no program can make.

    Its `key` is its own: whoever guesses too much is let wait.
    """

    def __init__(self, *, address: str, host: str, key: str, failed: Iterator[int], dice: Random) -> None:
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bearer {key}", "Host": host})
        self.root = f"{address}/api/v1/"
        self.failed = cycle(failed)
        self.dice = dice
        self.numbers = count(1)

    def ask(self, method: str, address: str, **body: Any) -> Any:
        """
        Ask for something and return the answer.

        :raises NotMade:
        """
        sent = body if method in {"POST", "PUT", "PATCH"} else None
        answer = self.session.request(method, self.root + address, json=sent, timeout=SECONDS_MAX)
        if answer.status_code >= 400 and answer.status_code != 409:
            raise NotMade(f"{method} {address}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None

    def make(self, address: str, **body: Any) -> Any:
        """
        Ask for something new, and return it.

        :raises NotMade:
        """
        made = self.ask("POST", address, key=self.new_key(), **body)
        if "code" in made and "detail" in made:
            raise NotMade(f"POST {address}: {made}")
        return made

    def new_key(self) -> str:
        return f"made-{next(self.numbers)}"

    def rich(self) -> str:
        return self.dice.choice(RICH)

    def newcomer(self) -> str:
        """Let somebody join of whom nothing is known."""
        name = f"new-{next(self.numbers)}"
        self.ask("POST", "members", external_id=name)
        return name

    def banned(self) -> str:
        name = self.newcomer()
        self.ask("PUT", f"members/{name}/ban", note="Fuzz")
        return name

    def levelled(self) -> str:
        self.ask("PUT", "members/zoe/level", level="gold", reason="Fuzz")
        return "zoe"

    def reward(self) -> int:
        return int(self.make("rewards", member=self.rich(), reason="Fuzz")["id"])

    def certificate(self, gift: str) -> int:
        return int(self.make("certificates", member=self.rich(), gift=gift, value_minor=100_000)["id"])

    def purchase(self, gift: str) -> Any:
        return self.make("purchases", member=self.rich(), gift=gift)

    def code(self) -> str:
        """Buy a code that takes something off an order."""
        return str(self.purchase("tenth")["items"][0]["code"])

    def used_code(self) -> Mapping[str, Any]:
        """Buy a code and use it for an order."""
        used = {"code": self.code(), "order_id": self.new_key()}
        self.make("codes/redemptions", **used, amount_minor=9_000, currency="RUB")
        return used

    def redemption(self) -> int:
        return int(self.make("redemptions", member=self.rich(), amount=9)["id"])

    def captured(self) -> int:
        redemption_id = self.redemption()
        self.ask("POST", f"redemptions/{redemption_id}/capture")
        return redemption_id

    def payout(self) -> int:
        self.make("rewards", member=self.rich(), kind="money", what="cash", amount=900, reason="Fuzz")
        key = self.make("payouts", asset="cash")["key"]
        return int(self.ask("GET", f"payouts?key={key}")["data"][0]["id"])

    def open_case(self) -> int:
        case_id = self._case()
        self.ask("POST", f"cases/{case_id}/undo")
        return case_id

    def decided_case(self) -> int:
        case_id = self._case()
        self.ask("POST", f"cases/{case_id}/decision", decision="reject", reason="Fuzz")
        return case_id

    def paused(self) -> int:
        self.ask("POST", f"campaigns/{self._campaign()}/pause", reason="Fuzz")
        return self._campaign()

    def running(self) -> int:
        self.ask("POST", f"campaigns/{self._campaign()}/resume")
        return self._campaign()

    def make_room(self) -> None:
        """Let there be fewer webhooks than there may be. The first stay."""
        for webhook_id in self._webhooks()[WEBHOOKS_KEPT:]:
            self.ask("DELETE", f"webhooks/{webhook_id}")

    def webhook(self) -> int:
        self.make_room()
        return int(self.ask("POST", "webhooks", url="https://example.com/hook")["id"])

    def rotated(self) -> int:
        """Make a webhook with two secrets that sign."""
        webhook_id = self.webhook()
        self.ask("POST", f"webhooks/{webhook_id}/rotation")
        return webhook_id

    def active(self) -> int:
        """Let one of the first webhooks go on, if it was paused."""
        webhook_id = self.dice.choice(self._webhooks()[:2])
        self.ask("PATCH", f"webhooks/{webhook_id}", status="active")
        return webhook_id

    def delivery(self) -> Mapping[str, int]:
        webhook_id = self.active()
        return {"webhook_id": webhook_id, "delivery_id": self.ask("POST", f"webhooks/{webhook_id}/test")["id"]}

    def _webhooks(self) -> list[int]:
        return sorted(row["id"] for row in self.ask("GET", "webhooks?limit=100")["data"])

    def _case(self) -> int:
        return int(self.dice.choice(self.ask("GET", "cases?limit=5&fields=id")["data"])["id"])

    def _campaign(self) -> int:
        return min(int(row["id"]) for row in self.ask("GET", "campaigns?limit=100&fields=id")["data"])
