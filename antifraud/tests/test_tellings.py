"""What follows from a decision: what programs are told, and what a member reads."""

from datetime import timedelta

import pytest
from django.utils import translation

from antifraud.lists import bans
from antifraud.models import Case, FraudPolicy
from antifraud.moderation import deciding, declined, notes, tellings
from core.db import transaction
from events.models import Event
from members.models import Member
from rewards import statement
from rewards.tests import gifts
from tests.cast import NOON, make_campaign
from tests.people import flag
from tests.programs import program_of

LANGUAGES = {"en", "ru", "zh-hans"}


def messages_of(kind: str, name: str, shop) -> dict[str, str]:
    told: dict[str, str] = Event.objects.get(kind=kind, member_id=shop.id_of(name)).data["message"]
    return told


def test_who_gets_it_after_a_check_is_told_so(case, shop, max_):
    deciding.approve(case=case, by=max_, at=NOON)

    assert messages_of("reward.approved", "anna", shop)["en"] == (
        "+100 was checked and approved: your friend paid the first order (Bring a friend)"
    )


def test_who_does_not_get_it_is_told_what_and_nothing_of_why(case, shop, max_):
    deciding.reject(case=case, by=max_, note="The same card: a cheat.", at=NOON)

    told = messages_of("reward.rejected", "anna", shop)
    assert set(told) == LANGUAGES
    assert told["en"] == "+100 was not given: your friend paid the first order (Bring a friend)"
    # Nor does anything else that is sent out of the house say what gave them away.
    for fact in Event.objects.filter(source="sarafan", data__case_id=case.pk):
        assert "card" not in str(fact.data).lower()
        assert "cheat" not in str(fact.data)


def test_who_was_told_learns_when_it_is_taken_back(case, shop, max_):
    deciding.reject(case=case, by=max_, at=NOON)

    deciding.undo(case=case, by=max_, at=NOON)

    assert messages_of("reward.reopened", "anna", shop)["en"].startswith("+100 is being checked again: ")


def test_a_tenant_that_does_not_tell_its_members_sends_no_message(case, shop, max_):
    FraudPolicy.objects.update(tells_members=False)

    deciding.reject(case=case, by=max_, at=NOON)

    assert "message" not in Event.objects.get(kind="reward.rejected", member_id=shop.id_of("anna")).data


def test_a_gift_is_told_by_its_name(shop, max_):
    gift = gifts.gift("content", code="notes", name="Notes")
    make_campaign(rule={"recipient": "inviter", "reward_kind": "content", "reward_what": gift.code, "amount_points": 1})
    flag(shop)

    deciding.reject(case=Case.objects.get(), by=max_, at=NOON)

    assert messages_of("reward.rejected", "anna", shop)["en"].startswith("+Notes was not given: ")


def test_the_reader_of_a_page_changes_nothing_of_what_is_sent(case, shop, max_):
    with translation.override("ru"):
        deciding.reject(case=case, by=max_, at=NOON)

        assert translation.get_language() == "ru"
    assert messages_of("reward.rejected", "anna", shop)["en"].startswith("+100 was not given: ")


def test_each_thing_that_can_become_of_a_reward_has_its_sentence():
    assert set(tellings.MESSAGES) == set(tellings.Came.__slots__)


# What the member reads later


def lines_of(shop, name: str) -> list[declined.Line]:
    return list(declined.lines(rewards=declined.list_rewards(member_id=shop.id_of(name))))


def test_a_members_statement_says_what_was_not_given(case, shop, max_):
    deciding.reject(case=case, by=max_, at=NOON)

    (line,) = lines_of(shop, "anna")
    assert (line.asset, line.amount, line.at, line.campaign) == ("points", 100, NOON, case.campaign)
    assert line.text == "+100 was not given: your friend paid the first order (Bring a friend)"
    # It was never posted, so that it changes no balance.
    assert list(statement.list_postings(member_id=shop.id_of("anna"))) == []


def test_it_says_when_also_while_the_case_waits_again_about_somebody_else(case, shop, max_, mia):
    deciding.reject(case=case, by=max_, sides="inviter", at=NOON)
    with transaction():
        member = Member.objects.get(pk=shop.id_of("boris"))
        bans.ban(member=member, by=mia, note="a farm", takes="granted", at=NOON + timedelta(hours=1))

    assert Case.objects.get().status == "open"
    assert [line.at for line in lines_of(shop, "anna")] == [NOON]


@pytest.mark.parametrize("verb", [deciding.approve, deciding.undo])
def test_what_was_given_or_waits_is_not_among_it(case, shop, max_, verb):
    if verb is deciding.undo:
        deciding.reject(case=case, by=max_, at=NOON)
    verb(case=case, by=max_, at=NOON)

    assert lines_of(shop, "anna") == []


def test_what_a_refund_would_have_taken_anyway_is_not_among_it(shop, campaign, max_):
    shop.joins({"external_id": "anna", "card": "token-1"})
    shop.joins({"external_id": "boris", "card": "token-1"}, invited_by="anna")
    shop.pays("boris", "500", order="A-1")
    deciding.reject(case=Case.objects.get(), by=max_, at=NOON)
    assert len(lines_of(shop, "anna")) == 1

    shop.refunds("boris", "500", order="A-1")

    assert lines_of(shop, "anna") == []


def test_a_tenant_that_does_not_tell_its_members_shows_none_of_it(case, shop, max_):
    FraudPolicy.objects.update(tells_members=False)
    deciding.reject(case=case, by=max_, at=NOON)

    assert lines_of(shop, "anna") == []


def test_a_program_reads_it_for_its_member(case, shop, max_, acme):
    deciding.reject(case=case, by=max_, at=NOON)
    program = program_of(acme, "members:read")

    answer = program.get("/api/v1/members/anna/statement/declined")

    # In the tenant's language.
    with translation.override("ru"):
        (line,) = lines_of(shop, "anna")
    assert answer.status_code == 200
    assert answer.json() == {
        "data": [
            {
                "id": shop.rewards_of("anna")[0].pk,
                "at": "2026-03-17T15:00:00+03:00",
                "asset": "points",
                "what": "",
                "amount": 100,
                "sentence": line.sentence,
                "text": line.text,
                "campaign": {"id": case.campaign_id, "name": "Bring a friend"},
            }
        ],
        "next_cursor": None,
    }


def test_a_program_of_another_tenant_reads_nothing_of_it(case, shop, max_, bolt):
    deciding.reject(case=case, by=max_, at=NOON)

    answer = program_of(bolt, "members:read").get("/api/v1/members/anna/statement/declined")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_member")


# The reasons to choose from


def test_the_tenants_own_reasons_come_first_and_each_stands_once(acme):
    FraudPolicy.objects.update(reason_templates=["Called and confirmed.", "The same person on both sides."])

    found = notes.suggested(action="reject")

    assert found[:2] == ["Called and confirmed.", "The same person on both sides."]
    assert len(found) == len(set(found)) == 2 + len(notes.OURS["reject"]) - 1


def test_approving_has_other_reasons_than_rejecting(acme):
    assert not set(notes.suggested(action="approve")) & set(notes.suggested(action="reject"))
