"""Why something was or was not rewarded, in words for the member."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone, translation

from antifraud.judging import reasons
from antifraud.models import Case, FraudPolicy
from antifraud.moderation import deciding
from events.models import Event
from members.models import Member
from referrals.models import Referral
from scoring import explanations, member_words, why
from scoring.tests.test_why import everything
from tests.cast import Shop, make_campaign
from tests.people import flag, staff_of
from tests.programs import program_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def bot(acme):
    return program_of(acme, "members:read")


def told(program, name, **query):
    answer = program.get(f"/api/v1/members/{name}/explanations", **{"lang": "en", **query})
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]


def texts(program, name, **query):
    return [each["text"] for each in told(program, name, **query)]


def test_both_sides_read_what_the_friends_order_brought_them(bot, shop):
    make_campaign(rule={"recipient": "both"})
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="A-1")

    assert texts(bot, "boris") == [
        "You paid order A-1. Bring a friend: +100.",
        "You joined. You joined on a friend's invitation. There is no offer for this.",
    ]
    assert texts(bot, "anna") == [
        "A friend paid an order. Bring a friend: +100.",
        "You joined. There is no offer for this.",
    ]


def test_an_event_is_told_to_programs_too(bot, shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    paid = shop.pays("anna", "500", order="A-1")

    (found,) = told(bot, "anna")

    (line,) = found["lines"]
    assert (found["id"], found["kind"], found["is_friend"], found["title"]) == (
        paid.pk,
        "order.paid",
        False,
        "You paid order A-1",
    )
    assert line == {
        "state": "given",
        "text": "+100.",
        "campaign": "Bring a friend",
        "reward_id": shop.rewards_of("anna")[0].pk,
    }


def test_what_is_not_met_is_said_and_nothing_of_what_others_get(bot, shop):
    asks = [{"field": "amount_minor", "operator": "at_least", "value": 100_000}]
    make_campaign(rule={"recipient": "actor", "order_number": "any", "conditions": asks})
    make_campaign(name="For inviters")
    shop.pays("anna", "500", order="A-1")

    assert texts(bot, "anna") == [
        "You paid order A-1. Bring a friend: the offer asks that order amount is RUB\xa01,000 or more."
    ]


def test_a_limit_is_said_without_its_figures(bot, shop):
    make_campaign(
        rule={"recipient": "actor", "order_number": "any"}, limits=[{"per": "member", "period": "day", "max_count": 1}]
    )
    shop.pays("anna", "500", order="A-1")
    shop.pays("anna", "500", order="A-2")

    assert texts(bot, "anna")[0] == (
        "You paid order A-2. Bring a friend: as much as the offer gives was given already."
    )


def test_what_is_on_its_way_says_from_when_on(bot, shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any", "hold_days": 14})
    shop.pays("anna", "500", order="A-1")

    assert texts(bot, "anna") == ["You paid order A-1. Bring a friend: +100, usable from Mar 31."]


def test_a_refund_says_what_it_took_back(bot, shop):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop.pays("anna", "500", order="A-1")
    shop.refunds("anna", "500", order="A-1")

    assert texts(bot, "anna") == [
        "Order A-1 was refunded. Bring a friend: 100 was taken back.",
        "You paid order A-1. Bring a friend: +100, which was taken back later.",
    ]


def test_what_waits_for_a_moderator_is_being_checked_and_nobody_says_why(bot, shop):
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    for name in ("anna", "boris"):
        (checked,) = [each for each in told(bot, name) if each["kind"] == "order.paid"]
        assert checked["lines"][0]["state"] == "checking"
        assert checked["text"].endswith("Bring a friend: +100 is being checked.")


@pytest.mark.parametrize(
    ("tells_members", "text"),
    [(True, "Bring a friend: +100 was not given."), (False, "Bring a friend: the offer gives nothing for this.")],
)
def test_what_a_moderator_has_refused_is_said_as_the_tenant_wants(bot, shop, tells_members, text):
    FraudPolicy.objects.update(tells_members=tells_members)
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    deciding.reject(case=Case.objects.get(), by=staff_of("moderator"), at=timezone.now())

    assert texts(bot, "boris")[0].endswith(text)


def test_what_a_check_has_refused_reads_like_any_rule_that_does_not_apply(bot, shop):
    FraudPolicy.objects.update(flag_from=10, refuse_from=20)
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    assert texts(bot, "boris")[0].endswith("Bring a friend: the offer gives nothing for this.")


def test_no_word_of_a_check_leaks_in_any_language(bot, shop):
    FraudPolicy.objects.update(flag_from=10, refuse_from=150)
    make_campaign(name="Spring", rule={"recipient": "both"})
    flag(shop)
    flag(shop, inviter="clara", friend="denis")
    deciding.reject(case=Case.objects.earliest("pk"), by=staff_of("moderator"), at=timezone.now())

    for language, _name in settings.LANGUAGES:
        found = " ".join(texts(bot, "anna", lang=language) + texts(bot, "clara", lang=language)).lower()
        with translation.override(language):
            secrets = [str(short).lower() for short in reasons.SHORT.values()]
        words = (*secrets, "token", "fraud", "suspect", "moderator")
        assert [word for word in words if re.search(rf"\b{re.escape(word)}\b", found)] == []


def test_of_a_friend_only_what_concerns_the_inviter_is_told(bot, shop):
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500", order="secret-1")
    shop.pays("boris", "700", order="secret-2")
    shop.tells("check_in", "boris", place="secret-place")

    found = told(bot, "anna")

    assert [each["kind"] for each in found if each["is_friend"]] == ["order.paid"]
    assert "secret" not in str(found)
    assert "boris" not in str(found)


def test_a_friend_who_turned_out_to_be_somebody_else_is_still_a_friend(bot, shop):
    make_campaign()
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")
    shop.joins("carl")
    boris, carl = shop.id_of("boris"), shop.id_of("carl")
    Member.objects.filter(pk=boris).update(status="merged", merged_into=carl)
    Event.objects.filter(member=boris).update(member=carl)

    assert "A friend paid an order. Bring a friend: +100." in texts(bot, "anna")


def test_the_newest_comes_first_page_by_page(bot, shop):
    for number in range(5):
        shop.pays("anna", "500", order=f"A-{number}")

    first = bot.get("/api/v1/members/anna/explanations", limit=3, lang="en").json()
    second = bot.get("/api/v1/members/anna/explanations", cursor=first["next_cursor"], lang="en").json()

    titles = [each["title"] for each in first["data"] + second["data"]]
    assert titles == [f"You paid order A-{number}" for number in (4, 3, 2, 1, 0)]


def test_what_waits_says_that_it_waits(bot, shop):
    shop.joins("anna")
    shop.report("check_in", "anna")

    assert texts(bot, "anna") == ["You joined. There is no offer for this."]


def test_a_page_takes_as_many_statements_for_many_events_as_for_one(bot, shop, django_assert_num_queries):
    make_campaign(rule={"recipient": "both", "order_number": "any"})
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")
    shop.pays("boris", "500")
    told(bot, "anna")
    with django_assert_num_queries(7) as one:
        told(bot, "anna")
    for number in range(6):
        shop.at += timedelta(minutes=1)
        shop.joins(f"friend-{number}", invited_by="anna")
        shop.pays(f"friend-{number}", "500")

    with django_assert_num_queries(len(one)):
        assert len(told(bot, "anna")) == 8


def test_the_tenants_language_is_spoken_unless_another_is_asked_for(bot, shop, acme):
    shop.joins("anna")

    for lang in ("ru", "zh-hans"):
        assert bot.get("/api/v1/members/anna/explanations", lang=lang).status_code == 200
    assert bot.get("/api/v1/members/anna/explanations", lang="tlh").status_code == 400
    own, russian = (bot.get("/api/v1/members/anna/explanations", **query).json() for query in ({}, {"lang": "ru"}))
    assert own == russian


def test_another_tenant_knows_nobody_of_ours(bolt, shop):
    shop.joins("anna")

    answer = program_of(bolt, "members:read").get("/api/v1/members/anna/explanations")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_member")


def test_an_explanation_wants_the_scope_to_read_members(acme, shop):
    shop.joins("anna")

    answer = program_of(acme, "events:read").get("/api/v1/members/anna/explanations")

    assert (answer.status_code, answer.json()["required_scope"]) == (403, "members:read")


# Everything that can be said


def test_each_code_has_its_words_for_members():
    assert set(member_words.SENTENCES) == set(why.SENTENCES)


def test_everything_that_can_be_said_of_an_event_can_be_said_to_each_of_its_people(shop):
    shop.joins("anna")
    events = list(everything(shop))

    people = {event.member_id for event in events} | set(Referral.objects.values_list("inviter", flat=True))
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for member_id in people:
                found = explanations.explain(
                    events=list(explanations.list_events(member_id=member_id)), member_id=member_id
                )
                assert [each.text for each in found if not each.text or "…" in each.text or "%(" in each.text] == []
