"""A program that sets up webhooks over the API, and what happens that it is told of."""

from core.db import transaction
from events import facts
from events.facts import Fact
from tests.cast import NOON

URL = "https://shop.example.com/hooks"
ALL = "/api/v1/webhooks"


class Caller:
    """A program, and the methods that webhooks have."""

    def __init__(self, program) -> None:
        self.program = program

    def get(self, path="", **query):
        return self.program.get(f"{ALL}{path}", **query)

    def post(self, path="", body=None):
        return self.program.post(body or {}, f"{ALL}{path}")

    def patch(self, path, body):
        client, headers = self.program.client, self.program.headers
        return client.patch(f"{ALL}{path}", body, content_type="application/json", headers=headers)

    def delete(self, path):
        return self.program.delete(f"{ALL}{path}")


@transaction
def happen(*numbers, at=NOON, kind="reward.granted") -> None:
    told = [
        Fact(kind, f"{kind}:{each}", {"reward_id": each, "kind": "points", "what": "", "given": 1}) for each in numbers
    ]
    facts.record(facts=told, at=at)


def problem(response):
    return response.status_code, response.json()["code"]
