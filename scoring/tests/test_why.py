"""Every code that deciding can give is a sentence, in every language, and every sentence finds what it needs."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from antifraud.models import FraudPolicy
from campaigns import lifecycle
from campaigns.models import Rule
from core.db import transaction
from events import facts
from events.facts import DEPTH_MAX, Fact
from events.models import Event
from members.models import Member
from referrals import touch
from rewards.models import Gift
from rewards.tests.gifts import gift
from rewards.tests.units import make_asset
from scoring import why
from tests.cast import NOON, act, codes_of, make_campaign, trace_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
EACH_ORDER = {"recipient": "actor", "order_number": "any"}
DECIDING = ["scoring", "antifraud", "campaigns", "referrals"]
# What stands in their folders, and decides nothing about an event.
APART = {"admin", "api", "management", "migrations", "tests"}
# A code that only what is out of the pipeline's reach could give.
UNREACHABLE = {
    # No version of a campaign is a draft.
    "campaign_draft",
    # Whoever leads up to somebody has invited somebody, and is known therefore.
    "loop",
}


def everything(shop):
    """Let all that can be said of an event be said of some event, and return the events."""
    yield from _of_touches(shop)
    yield from _of_campaigns(shop)
    yield from _of_rules(shop)
    yield from _of_limits(shop)
    yield from _of_refunds(shop)
    yield from _of_what_is_given(shop)
    yield _of_a_long_chain(shop)


def _of_touches(shop):
    shop.at = NOON - 40 * DAY
    old = shop.clicks("anna")
    shop.at = NOON
    yield shop.joins("boris", invited_by="anna")
    yield shop.joins("boris", invited_by="anna")
    yield shop.joins("clara")
    yield shop.joins("clara", invited_by="anna")
    yield shop.joins("denis", code="0000000000")
    yield shop.joins("elena", click_id="unknown")
    yield shop.joins("fedor", click_id=old)
    yield shop.joins("anna", invited_by="anna")


def _of_campaigns(shop):
    early = {"rule": {**EACH_ORDER, "trigger": "check_in"}, "at": NOON - DAY}
    yield shop.tells("invite.sent", "anna")
    make_campaign(name="Later", **{**early, "starts_at": NOON + DAY})
    make_campaign(name="Over", **early, ends_at=NOON - timedelta(hours=1))
    act(lifecycle.pause, make_campaign(name="Paused", **early), at=NOON - timedelta(hours=1))
    act(lifecycle.end, make_campaign(name="Ended", **early), at=NOON - timedelta(hours=1))
    for name in ("Spring", "Summer"):
        make_campaign(name=name, **early, exclusive_group="season")
    yield shop.tells("check_in", "anna")
    yield shop.tells("check_in", "anna")


def _of_rules(shop):
    amount = {"field": "amount_minor", "operator": "at_least", "value": 50_000}
    sku = {"field": "items.sku", "operator": "one_of", "value": ["A", "B"]}
    member = {"field": "member.invited", "operator": "is", "value": True}
    channel = {"field": "channel", "operator": "equals", "value": "site"}
    for rule in (
        {},
        {"recipient": "actor"},
        {"recipient": "actor", "order_number": "repeat"},
        {**EACH_ORDER, "conditions": [amount]},
        {**EACH_ORDER, "conditions": [sku]},
        {**EACH_ORDER, "conditions": [member]},
        {**EACH_ORDER, "conditions": [channel]},
        {**EACH_ORDER, "match": "any", "conditions": [amount, channel, sku, member]},
        {**EACH_ORDER, "amount_kind": "percent", "amount_points": None, "rate_bps": 1},
        {**EACH_ORDER, "hold_days": 14},
    ):
        make_campaign(rule=rule)
    yield shop.pays("gleb", "1", items=[{"sku": "C", "quantity": 1}])
    yield shop.pays("gleb", "1")
    Member.objects.filter(pk=shop.id_of("anna")).update(status="blocked")
    yield shop.pays("boris", "1")
    Member.objects.filter(pk=shop.id_of("anna")).update(status="active")
    shop.joins({"external_id": "zoe", "device": "phone-1"})
    shop.joins({"external_id": "zoe2", "device": "phone-1"}, invited_by="zoe")
    yield shop.pays("zoe2", "1")
    FraudPolicy.objects.update(flag_from=10, refuse_from=20)
    shop.joins({"external_id": "zoe3", "device": "phone-1"}, invited_by="zoe")
    yield shop.pays("zoe3", "1")


def _of_limits(shop):
    quiz = {"rule": {**EACH_ORDER, "trigger": "custom.quiz"}}
    for limit in ({"max_count": 1}, {"max_points": 150}, {"max_cost_minor": 15_000}):
        make_campaign(**quiz, limits=[{"per": "member", "period": "week", **limit}])
    make_campaign(**quiz, budget_points=150)
    make_campaign(**quiz, budget_minor=15_000)
    for _ in range(2):
        yield shop.tells("custom.quiz", "anna")


def _of_refunds(shop):
    yield shop.pays("hana", "1", order="1001")
    yield shop.cancels("hana", order="1001")
    yield shop.cancels("hana", order="1001")


def _of_what_is_given(shop):
    vip = gift("privilege", code="vip")
    make_asset("stars", balance_max=1)
    few = {"field": "amount_minor", "operator": "at_least", "value": 50_000}
    own = {"recipient": "actor", "order_number": "any"}
    right = {"reward_kind": "privilege", "reward_what": "vip", "amount_points": 1}
    make_campaign(rule={**own, **right, "trigger": "custom.vip"})
    extras = [{"kind": "privilege", "what": "vip", "amount": 1}]
    make_campaign(rule={**own, "trigger": "custom.vip", "amount_points": 1, "extras": extras})
    make_campaign(rule={**own, "trigger": "custom.vip", "reward_what": "stars", "amount_points": 2})
    make_campaign(rule={**own, "trigger": "custom.vip", "amount_points": 1, "awaits": "check_in"})
    yield shop.tells("custom.vip", "irma")
    Gift.objects.filter(pk=vip.pk).update(is_active=False)
    yield shop.tells("custom.vip", "irma")
    yield shop.tells("check_in", "irma")
    Gift.objects.filter(pk=vip.pk).update(is_active=True)
    make_campaign(rule={**own, **right, "conditions": [few]})
    make_campaign(rule={**own, **right}, refund_policy="pending_only")
    yield shop.pays("irma", "500", order="2001")
    yield shop.refunds("irma", "1", order="2001", refund="1")
    yield shop.refunds("irma", "499", order="2001", refund="2")


def _of_a_long_chain(shop):
    make_campaign(rule={**EACH_ORDER, "trigger": "level.reached"})
    told = Fact("level.reached", "the-last", {"code": "gold"}, shop.id_of("anna"), None, DEPTH_MAX)
    with transaction():
        facts.record(facts=[told], at=NOON)
    return Event.objects.get(key="the-last")


@pytest.fixture
def entries(shop):
    return [entry for event in everything(shop) for entry in trace_of(event)]


def test_stories_can_make_deciding_say_everything(entries):
    assert {entry["code"] for entry in entries} == set(why.SENTENCES) - UNREACHABLE


def test_every_sentence_finds_what_it_needs_in_every_language(entries):
    sentences = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            sentences += [(entry["code"], why.sentence(entry)) for entry in entries]

    assert [each for each in sentences if re.search(r"…|%|\{", each[1]) or each[1] == each[0]] == []


def test_every_code_in_the_deciding_modules_has_a_sentence():
    """A new `Miss("…")` or `"code": "…"` without a sentence fails here, and not on a marketer's screen."""
    found = {code for path in _deciding_files() for code in _codes_in(ast.parse(path.read_text()))}

    assert found >= {"limit_count", "not_referred", "nothing_to_take_back", "no_rule"}
    assert found - set(why.SENTENCES) == set()
    assert set(touch.MISSES) <= set(why.SENTENCES)


def test_a_code_that_nobody_knows_is_shown_as_it_is():
    assert why.sentence({"code": "of_an_older_time"}) == "of_an_older_time"


def test_an_entry_of_an_older_shape_breaks_no_page():
    assert why.sentence({"code": "budget"}) == "The campaign's budget of … points has only … left."


def test_what_is_given_is_told_in_its_own_words(shop):
    gift("privilege", code="vip", name="VIP chat")
    extras = [{"kind": "privilege", "what": "vip", "amount": 1}]
    make_campaign(rule={**EACH_ORDER, "extras": extras, "awaits": "check_in"})

    told = [entry["sentence"] for entry in trace_of(shop.pays("anna", "500"))]

    assert told[0] == "Promised: 100 points. It waits for “Check-in”."
    assert "VIP chat" in told[1]


def test_it_is_told_why_something_could_not_be_taken_back(shop):
    make_campaign(rule=EACH_ORDER, refund_policy="pending_only")
    shop.pays("anna", "500", order="1001")

    (entry,) = trace_of(shop.cancels("anna", order="1001"))

    why_ = "the campaign takes back only what is pending"
    assert entry["sentence"] == f"100 points could not be taken back: {why_}."


def test_it_is_told_which_of_several_things_was_missing(shop):
    gift("privilege", code="vip")
    make_campaign(rule={**EACH_ORDER, "extras": [{"kind": "privilege", "what": "vip", "amount": 1}]})
    Gift.objects.update(is_active=False)

    (entry,) = trace_of(shop.pays("anna", "500"))

    assert entry["sentence"] == (
        "The rule gives several things or none of them, and one could not be given: vip. "
        "What the rule gives is not available: vip."
    )


def test_a_condition_is_told_with_what_was_asked_and_found(shop):
    make_campaign(rule={**EACH_ORDER, "conditions": [{"field": "channel", "operator": "equals", "value": "site"}]})

    (entry,) = trace_of(shop.pays("anna", "1", channel="shop"))

    assert entry["sentence"] == "The rule asks that channel is “site”; here it is “shop”."


def test_a_trace_keeps_the_name_that_the_campaign_had(shop):
    campaign = make_campaign(name="Spring", rule=EACH_ORDER)
    paid = shop.pays("anna", "1")
    campaign.name = "Summer"
    campaign.save()

    (entry,) = trace_of(paid)

    assert (entry["campaign"], entry["campaign_id"], entry["version"]) == ("Spring", campaign.pk, 1)
    assert entry["rule_id"] == Rule.objects.get().pk
    assert codes_of(paid) == ["granted"]


def _deciding_files():
    root = Path(settings.BASE_DIR)
    paths = [path for package in DECIDING for path in sorted((root / package).rglob("*.py"))]
    return [path for path in paths if APART.isdisjoint(path.relative_to(root).with_suffix("").parts)]


def _codes_in(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Miss" and node.args:
            yield from _texts(node.args[0])
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield from _texts(value)


def _texts(node):
    branches = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return [each.value for each in branches if isinstance(each, ast.Constant) and isinstance(each.value, str)]
