"""A tenant in which the fuzzer finds something wherever it asks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from analytics.exports.catalogue import EXPORTS
from antifraud.models import Case
from campaigns.models import Campaign
from core.http.pages import cursor_after
from events.models import Event
from integrations.models import Delivery, Endpoint
from referrals.models import Referral
from rewards.assets import TENANT_KINDS
from rewards.models import Account, Adjustment, Asset, Entitlement, Level, Redemption, Reward, RewardPolicy
from tenants import keys
from tenants.models import ApiKey, Tenant
from tests.cast import NOON, Shop, make_campaign
from tests.fuzz.maker import RICH
from tests.people import flag
from tests.programs import program_of
from tests.things import make_things

PEOPLE = ("anna", "boris", "clara", "dina", "emil", "fedor", "gleb", "zoe")
# More than a fuzzer asks.
A_DAY_MAX = 10**8
A_SECOND_MAX = 30_000
FAILED_EVENTS = 3000
FORTUNE = 10**12

type_of_values = Sequence[str | int]


def seed(tenant: Tenant) -> None:
    """Let people join, invite, buy, and be suspected; and put something of every kind on offer."""
    things = make_things()
    for asset in Asset.objects.exclude(code="points"):
        Account.objects.bulk_create(Account(kind=kind, asset=asset) for kind in TENANT_KINDS)
    Level.objects.create(code="gold", name="Gold", threshold=100)
    make_campaign(name="Bring a friend", rule={"recipient": "both"})
    make_campaign(name="Every order", rule={"recipient": "actor", "order_number": "any", "hold_days": 3})
    shop = Shop()
    for number, name in enumerate(PEOPLE[:5]):
        shop.joins(name, **({"invited_by": PEOPLE[number - 1]} if number else {}))
        shop.pays(name, "900", order=f"order-{number}")
    flag(shop, inviter="fedor", friend="gleb")
    for number in range(5):
        flag(shop, inviter=f"ivan-{number}", friend=f"jana-{number}")
    for name in ("zoe", *RICH):
        shop.joins(name)
    RewardPolicy.objects.update(four_eyes_from=None)
    for code in ("stickers", "tenth", "vip", "notes"):
        gift: Any = things[code]
        gift.asset, gift.price = Asset.objects.get(code="points"), 5
        if "pattern" in gift.terms:
            # As many codes as the form asks for: thousands are bought.
            gift.terms["pattern"] = "T-####????"
        gift.save()
    _buy_and_redeem(tenant)


def _buy_and_redeem(tenant: Tenant) -> None:
    """Do over HTTP, as a program does, what leaves rows that can be asked for."""
    program = program_of(tenant, *keys.ALL_SCOPES)
    for number, name in enumerate(PEOPLE[:4]):
        bodies: dict[str, dict[str, Any]] = {
            "adjustments": {"asset": "points", "amount": 500, "reason": "Sorry"},
            "rewards": {"kind": "money", "what": "cash", "amount": 900, "reason": "Sorry"},
            "purchases": {"gift": "stickers"},
            "redemptions": {"amount": 7, "order_id": f"order-9{number}"},
            "certificates": {"gift": "books" if number else "coffee", "value_minor": 100_000},
        }
        for address, body in bodies.items():
            answer = program.post({"member": name, "key": f"{address}-{number}", **body}, f"/api/v1/{address}")
            assert answer.status_code in {201, 202}, answer.content
    for name in RICH:
        fortune = {"member": name, "key": f"fortune-{name}", "asset": "points", "amount": FORTUNE, "reason": "Sorry"}
        assert program.post(fortune, "/api/v1/adjustments").status_code == 201
    assert program.post({"asset": "cash", "key": "run-1"}, "/api/v1/payouts").status_code == 201
    for _ in range(3):
        webhook = program.post({"url": "https://example.com/hook"}, "/api/v1/webhooks").json()
        assert program.post({}, f"/api/v1/webhooks/{webhook['id']}/test").status_code == 202


def fail_events() -> Sequence[int]:
    """Leave events that could not be handled, and return their ids."""
    joined = Event.objects.filter(kind="member.joined").earliest("pk")
    made = Event.objects.bulk_create(
        Event(
            source=Event.Source.API,
            key=f"failed-{number}",
            kind="member.joined",
            occurred_at=NOON,
            received_at=NOON,
            status=Event.Status.FAILED,
            error="OperationalError",
            identities=joined.identities,
        )
        for number in range(FAILED_EVENTS)
    )
    return [event.pk for event in made]


def values() -> dict[str, type_of_values]:
    """Return what to ask for, by the name of a parameter or of a member of a body."""
    ids: dict[str, Any] = {
        "adjustment_id": Adjustment,
        "campaign_id": Campaign,
        "case_id": Case,
        "certificate_id": Entitlement,
        "delivery_id": Delivery,
        "entitlement_id": Entitlement,
        "event_id": Event,
        "payout_id": Redemption,
        "purchase_id": Redemption,
        "redemption_id": Redemption,
        "referral_id": Referral,
        "reward_id": Reward,
        "webhook_id": Endpoint,
    }
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    gifts = ["stickers", "tenth", "vip", "notes", "coffee", "any"]
    purposes = {"payout_id": "payout", "purchase_id": "purchase", "redemption_id": "order"}
    found: dict[str, Any] = {}
    for name, model in ids.items():
        rows = model.objects.order_by("pk")
        rows = rows.filter(purpose=purposes[name]) if name in purposes else rows
        rows = rows.filter(kind="certificate") if name == "certificate_id" else rows
        found[f"path.{name}"] = [*rows.values_list("pk", flat=True)[:20]]
    return {name: each for name, each in found.items() if each} | {
        "path.external_id": PEOPLE,
        "path.gift_code": gifts,
        "query.member": PEOPLE,
        "body.member": PEOPLE,
        "body.external_id": PEOPLE,
        "body.gift": gifts,
        "body.asset": ["points", "stars", "cash"],
        "body.level": ["gold"],
        "body.currency": ["RUB"],
        "body.kind": ["points"],
        "body.what": ["points"],
        "body.price": [5],
        "body.value_minor": [100_000],
        "body.url": ["https://example.com/hook"],
        "body.since": [yesterday],
        "query.since": ["2026-01-01T00:00:00Z"],
        "query.until": ["2030-01-01T00:00:00Z"],
        "query.cursor": [cursor_after(10**6)],
        "path.what": [*EXPORTS],
    }


def values_of_sandbox(sandbox: Tenant) -> dict[str, type_of_values]:
    """Return what to say in a sandbox."""
    return {"body.confirm": [sandbox.slug], "body.kind": ["reward.granted", "order.paid"], "body.name": ["referral"]}


def key_without_limit(tenant: Tenant, *, environment: str = "live") -> str:
    """Return a key that may do everything, as often as it likes."""
    Tenant.objects.filter(pk=tenant.pk).update(requests_a_day_max=A_DAY_MAX, events_a_day_max=A_DAY_MAX)
    Tenant.objects.filter(live=tenant).update(requests_a_day_max=A_DAY_MAX, events_a_day_max=A_DAY_MAX)
    row, full = keys.issue(tenant=tenant, environment=environment, name="fuzz", scopes=keys.ALL_SCOPES, at=Shop().at)
    ApiKey.objects.filter(pk=row.pk).update(requests_a_second_max=A_SECOND_MAX)
    return full
