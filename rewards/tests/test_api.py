from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from core.db import transaction
from referrals.models import Code, Referral
from rewards import grants, ledger
from rewards.grants import TakeBack
from rewards.models import Reward
from rewards.refunds import Refund, settle
from rewards.tests.stage import NOON
from tenants import context, keys

pytestmark = pytest.mark.django_db

SCOPES = ["members:read", "rewards:read"]
PATHS = [
    "members/anna",
    "members/anna/statement",
    "members/anna/statement/upcoming",
    "members/anna/rewards",
    "rewards",
]
NOTHING = {"available": 0, "pending": 0, "flagged": 0, "promised": 0, "reserved": 0, "debt": 0, "expiring": None}


@pytest.fixture
def ask(client):
    """Ask with a key of some tenant."""

    def get(path, tenant, *, scopes=SCOPES, host=None):
        _row, key = keys.issue(tenant=tenant, environment="live", name="test", scopes=scopes, at=NOON)
        headers = {"Host": f"{host or tenant.slug}.localhost", "Authorization": f"Bearer {key}"}
        response = client.get(f"/api/v1/{path}", headers=headers)
        return response.status_code, response.json()

    return get


def rewards_in(answer):
    return [each["id"] for each in answer["data"]]


# A member


def test_a_member_is_shown_with_what_they_have(scene, anna, boris, acme, ask):
    scene.owe(anna, status="granted", given=100)
    scene.owe(anna, status="pending", given=20)
    scene.owe(anna, status="flagged", given=3)
    scene.owe(boris, status="granted", given=1_000)

    status, answer = ask("members/anna", acme)

    code = answer.pop("code")
    assert status == 200
    assert answer == {
        "id": anna.pk,
        "external_id": "anna",
        "status": "active",
        "joined_at": None,
        "balances": {"points": NOTHING | {"available": 100, "pending": 20, "flagged": 3}},
        "link": f"http://acme.localhost:8000/r/{code}",
        "referrals": {"total": 0, "qualified": 0},
    }
    assert ask("members/anna", acme)[1]["code"] == code


def test_a_member_who_has_nothing_has_nothing_of_each_asset(anna, acme, ask):
    assert ask("members/anna", acme)[1]["balances"] == {"points": NOTHING}


def test_referrals_are_counted(scene, anna, boris, acme, ask):
    code_text = ask("members/anna", acme)[1]["code"]
    from_anna = {"code_id": _code_id(code_text), "inviter": anna, "attributed_at": NOON}
    Referral.objects.create(invitee=boris, event=scene.event(), qualified_at=NOON, **from_anna)
    Referral.objects.create(invitee=scene.member("vera"), event=scene.event(), **from_anna)

    assert ask("members/anna", acme)[1]["referrals"] == {"total": 2, "qualified": 1}


def test_an_external_id_may_hold_anything(scene, acme, ask):
    for name in ("a/b", "shop:7", "Анна"):
        scene.member(name)
        assert ask(f"members/{name}", acme)[1]["external_id"] == name
        assert ask(f"members/{name}/rewards", acme)[1] == {"data": [], "next_cursor": None}


def test_a_member_takes_few_statements(scene, anna, acme, ask):
    scene.owe(anna, status="granted")
    ask("members/anna", acme)

    with CaptureQueriesContext(connection) as statements:
        ask("members/anna", acme)

    about_keys = [each for each in statements if "tenants_apikey" in each["sql"] or "SAVEPOINT" in each["sql"]]
    assert len(statements) - len(about_keys) <= 12


# The statement


def test_a_statement_tells_each_posting_with_the_balance_after_it(scene, anna, acme, ask):
    order = scene.order(anna, amount_minor=10_000)
    scene.owe(anna, status="granted", given=30)
    earned = scene.owe(anna, status="granted", given=100, order_id=order.pk)
    invited = scene.owe(anna, status="granted", given=7, side="inviter")
    _refund(order, 5_000)

    status, answer = ask("members/anna/statement", acme)

    assert status == 200
    lines = [(each["amount"], each["balance"], each["reward_id"], each["sentence"]) for each in answer["data"]]
    # In the tenant's language.
    assert lines[:3] == [
        (-50, 87, earned, f"Отозвано: возврат по заказу {order.number} (Bring a friend)"),
        (7, 137, invited, in_russian("Your friend paid an order (%(campaign)s)") % {"campaign": "Bring a friend"}),
        (100, 130, earned, f"За заказ {order.number} (Bring a friend)"),
    ]
    assert answer["data"][0] | {"id": 0, "at": ""} == {
        "id": 0,
        "at": "",
        "asset": "points",
        "amount": -50,
        "balance": 87,
        "reason": "refund",
        "sentence": lines[0][3],
        "text": f"−50: о{lines[0][3][1:]}",
        "usable_from": None,
        "usable_until": None,
        "paid_debt": 0,
        "campaign": {"id": scene.campaign.pk, "name": "Bring a friend"},
        "reward_id": earned,
        "redemption_id": None,
    }
    noon = NOON.astimezone(context.zone()).isoformat()
    assert (answer["data"][1]["usable_from"], answer["data"][1]["usable_until"]) == (noon, None)
    assert lines[3][:2] == (30, 30)


def test_pages_of_a_statement_fit_together(scene, anna, acme, ask):
    for amount in (1, 10, 100, 1_000, 10_000):
        scene.owe(anna, status="granted", given=amount)

    lines, cursor = [], ""
    while cursor is not None:
        _, answer = ask(f"members/anna/statement?limit=2{cursor and f'&cursor={cursor}'}", acme)
        lines += [(each["amount"], each["balance"]) for each in answer["data"]]
        cursor = answer["next_cursor"]

    assert lines == [(10_000, 11_111), (1_000, 1_111), (100, 111), (10, 11), (1, 1)]


def test_a_statement_of_nothing_is_empty(anna, acme, ask):
    assert ask("members/anna/statement", acme) == (200, {"data": [], "next_cursor": None})


def test_a_long_statement_takes_as_many_statements_as_a_short_one(scene, anna, acme, ask):
    ask("members/anna/statement", acme)

    def statements_for(count):
        for _ in range(count):
            scene.owe(anna, status="granted", order_id=scene.order(anna).pk)
        with CaptureQueriesContext(connection) as statements:
            ask("members/anna/statement", acme)
        return len(statements)

    assert statements_for(1) == statements_for(20)


# Rewards


def test_a_reward_is_told_in_full(scene, anna, acme, ask):
    order = scene.order(anna)
    reward_id = scene.owe(anna, status="pending", due=120, order_id=order.pk, occurrence="order:1")

    _, answer = ask("rewards", acme)

    reward = Reward.objects.get()
    moments = {name: answer["data"][0][name] for name in ("occurred_at", "matures_at", "created_at")}
    assert answer["data"] == [
        {
            "id": reward_id,
            "member": "anna",
            "member_id": anna.pk,
            "campaign": {"id": scene.campaign.pk, "name": "Bring a friend"},
            "rule_id": scene.rule.pk,
            "event_id": reward.event_id,
            "side": "actor",
            "order_id": order.number,
            "occurrence": "order:1",
            "part": 0,
            "kind": "points",
            "what": "",
            "asset": "points",
            "due": 120,
            "given": 100,
            "taken_back": 0,
            "lost": 0,
            "lost_why": "",
            "status": "pending",
            "awaits": "",
            "awaits_until": None,
            "granted_at": None,
            **moments,
        }
    ]


def test_rewards_are_filtered(scene, anna, boris, acme, ask):
    first = scene.owe(anna, status="granted")
    second = scene.owe(anna)
    third = scene.owe(boris)

    assert rewards_in(ask("rewards", acme)[1]) == [third, second, first]
    assert rewards_in(ask("rewards?member=anna", acme)[1]) == [second, first]
    assert rewards_in(ask("rewards?status=pending", acme)[1]) == [third, second]
    assert rewards_in(ask(f"rewards?campaign={scene.campaign.pk}&status=granted", acme)[1]) == [first]
    assert rewards_in(ask(f"rewards?campaign={scene.campaign.pk + 1}", acme)[1]) == []
    assert rewards_in(ask("rewards?member=nobody", acme)[1]) == []
    assert rewards_in(ask("members/boris/rewards", acme)[1]) == [third]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("status=owed", "status"),
        ("campaign=x", "campaign"),
        ("campaign=0", "campaign"),
        (f"campaign={2**63}", "campaign"),
        (f"member={'x' * 201}", "member"),
        ("member=%00", "member"),
    ],
)
def test_an_odd_filter_is_refused_by_its_name(acme, ask, query, parameter):
    status, answer = ask(f"rewards?{query}", acme)

    assert (status, [each["parameter"] for each in answer["errors"]]) == (400, [parameter])


# Who may ask


@pytest.mark.parametrize("path", PATHS)
def test_a_key_needs_the_scope(scene, anna, acme, ask, path):
    status, answer = ask(path, acme, scopes=["events:write"])

    assert (status, answer["code"]) == (403, "missing_scope")


@pytest.mark.parametrize("path", PATHS)
def test_nobody_asks_without_a_key(anna, client, path):
    response = client.get(f"/api/v1/{path}", headers={"Host": "acme.localhost"})

    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")


@pytest.mark.parametrize("path", PATHS[:-1])
def test_a_member_of_another_tenant_is_not_found(scene, anna, bolt, ask, path):
    scene.owe(anna, status="granted")

    status, answer = ask(path, bolt)

    assert (status, answer["code"]) == (404, "unknown_member")


def test_rewards_of_another_tenant_are_not_listed(scene, anna, bolt, ask):
    scene.owe(anna, status="granted")

    assert ask("rewards", bolt) == (200, {"data": [], "next_cursor": None})
    assert ask("rewards?member=anna", bolt) == (200, {"data": [], "next_cursor": None})


@pytest.mark.parametrize("path", PATHS)
def test_a_key_opens_its_own_tenant_s_door_only(scene, anna, bolt, ask, path):
    assert ask(path, bolt, host="acme")[0] == 401


@pytest.mark.parametrize("path", PATHS[1:3])
def test_what_is_read_is_not_written(anna, client, acme, path):
    _row, key = keys.issue(tenant=acme, environment="live", name="test", scopes=SCOPES, at=NOON)
    headers = {"Host": "acme.localhost", "Authorization": f"Bearer {key}"}

    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(f"/api/v1/{path}", headers=headers).status_code == 405


@pytest.mark.parametrize("name", ["nobody", "%00", "x" * 300, "%F0%9F%98%80"])
def test_nobody_is_found_by_an_odd_name(acme, ask, name):
    status, answer = ask(f"members/{name}", acme)

    assert (status, answer["code"]) == (404, "unknown_member")


def _code_id(text):
    return Code.objects.get(text=text).pk


def in_russian(text):
    with translation.override("ru"):
        return translation.gettext(text)


@transaction
def _refund(order, refunded_minor):
    (held,) = grants.existing(occurrences=[], order_ids=[order.pk]).of_orders
    refund = Refund(amount_minor=order.amount_minor, refunded_minor=refunded_minor)
    settled = settle(held, refund=refund, balance=held.balance)
    grants.write(new=[], taken=[TakeBack(settled.before, settled.after)])
    ledger.post(moves=[grants.refund_move(held=held, amount=settled.taken, refund_id="1")], at=NOON + timedelta(1))
