"""What a decision does not change is said to whoever decides."""

import pytest

from antifraud.models import Case
from antifraud.moderation import deciding, reach
from antifraud.moderation.deciding import NotUndoable
from rewards.models import Account, Entitlement, Posting
from rewards.tests import gifts
from tenants.staff.models import AuditEntry
from tests.cast import NOON, make_campaign
from tests.people import flag


def told(case: Case) -> list[str]:
    return reach.irreversible(case=case)


def test_of_what_was_never_given_everything_can_be_refused(case):
    assert told(case) == []


def test_of_what_is_on_the_accounts_everything_can_be_taken_back(case, max_):
    deciding.approve(case=case, by=max_, at=NOON)

    assert told(case) == []


def test_what_is_spent_is_said_with_who_and_how_much(case, shop, max_):
    deciding.approve(case=case, by=max_, at=NOON)
    Account.objects.filter(member_id=shop.id_of("boris")).update(balance=40)

    assert told(case) == ["boris has spent 60 of 100."]


def test_what_was_seen_keeps_its_decision(shop, max_):
    notes = gifts.gift("content", code="notes", name="Notes")
    make_campaign(
        rule={"recipient": "inviter", "reward_kind": "content", "reward_what": notes.code, "amount_points": 1}
    )
    flag(shop)
    case = Case.objects.get()
    deciding.approve(case=case, by=max_, at=NOON)
    Entitlement.objects.update(shown_at=NOON)

    with pytest.raises(NotUndoable, match="anna has already seen “Notes”"):
        deciding.undo(case=case, by=max_, at=NOON)

    assert told(case) == ["anna has already seen “Notes”."]
    case.refresh_from_db()
    assert case.status == "approved"
    assert AuditEntry.objects.filter(action="case.reopened").count() == 0


def test_what_the_same_friend_has_brought_before_is_beside_the_case(shop, max_):
    make_campaign(name="Welcome", rule={"trigger": "member.joined", "recipient": "invitee", "order_number": ""})
    make_campaign(rule={"recipient": "both"})
    shop.joins({"external_id": "anna", "card": "token-1"})
    shop.joins("boris", invited_by="anna")
    shop.pays({"external_id": "boris", "card": "token-1"}, "500")
    case = Case.objects.get()
    assert shop.balance_of("boris") == 100

    assert told(case) == ["boris has been given 100 for the same (Welcome), outside of this case."]
    deciding.reject(case=case, by=max_, at=NOON)
    assert shop.balance_of("boris") == 100
    assert Posting.objects.count() == 1


def test_what_other_friends_have_brought_is_another_story(case, shop):
    shop.joins("clara", invited_by="anna")
    shop.pays("clara", "500")

    assert shop.balance_of("anna") == 100
    assert told(case) == []
