"""A ban by a program: as staff would, under the key's name."""

import pytest

from antifraud.models import Case, Decision
from events.models import Event
from members.models import Member
from rewards import ledger
from tenants import context
from tenants.staff import programs
from tenants.staff.models import AuditEntry, Staff
from tests.cast import Shop, make_campaign
from tests.people import flag
from tests.programs import program_of

pytestmark = pytest.mark.django_db

BAN = "/api/v1/members/anna/ban"
SELF = {"recipient": "actor", "order_number": "any"}


@pytest.fixture
def shop(acme) -> Shop:
    return Shop()


@pytest.fixture
def bot(acme):
    return program_of(acme, "members:write")


def status_of(name: str) -> str:
    return Member.objects.get(pk=Shop().id_of(name)).status


def refused(answer):
    return answer.status_code, answer.json()["code"]


def test_who_has_a_slash_in_their_id_is_erased_and_the_ban_of_another_stands(acme, shop, bot):
    for name in ("team", "team/ban"):
        shop.joins(name)
    bot.put({"note": "Fraud"}, "/api/v1/members/team/ban")
    address = "/api/v1/members/team%2Fban"

    answer = bot.client.delete(address, headers=bot.headers, RAW_URI=address)

    assert (answer.status_code, status_of("team")) == (204, "blocked")
    assert sorted(Member.objects.values_list("status", flat=True)) == ["blocked", "erased"]


def test_a_program_bans_and_lifts_under_its_key_s_name(shop, bot):
    shop.joins("anna")

    banned = bot.put({"note": "a farm of phones"}, BAN)
    was = status_of("anna")
    lifted = bot.delete(f"{BAN}?note=a+mistake")

    assert (banned.status_code, banned.json()) == (
        200,
        {"status": "blocked", "cancelled": [], "flagged": [], "kept": []},
    )
    assert (was, lifted.status_code, lifted.content, status_of("anna")) == ("blocked", 204, b"", "active")
    row = Staff.objects.get(username__startswith=programs.START)
    told = AuditEntry.objects.filter(action__in=["member.banned", "member.unbanned"]).order_by("id")
    assert [(each.actor_kind, each.actor, each.action) for each in told] == [
        ("key", programs.key_of(row), "member.banned"),
        ("key", programs.key_of(row), "member.unbanned"),
    ]
    facts = Event.objects.filter(kind__in=["member.banned", "member.unbanned"]).order_by("id")
    assert [(each.kind, each.data["by"]) for each in facts] == [
        ("member.banned", row.username),
        ("member.unbanned", row.username),
    ]


def test_what_waits_is_called_off_and_its_cases_are_decided_by_the_key(shop, bot):
    make_campaign(rule={"recipient": "inviter"})
    flag(shop)
    (reward,) = shop.rewards_of("anna")

    answer = bot.put({"note": "a farm", "takes": "pending"}, BAN)

    assert answer.json() == {"status": "blocked", "cancelled": [reward.pk], "flagged": [], "kept": []}
    decision = Decision.objects.select_related("by").get()
    assert (Case.objects.get().status, decision.action, decision.note) == ("rejected", "reject", "a farm")
    assert decision.by.username.startswith(programs.START)
    assert ledger.verify() == []


def test_what_was_given_goes_before_a_moderator(shop, bot):
    make_campaign(rule=SELF)
    shop.joins("anna")
    shop.pays("anna", "500")
    (reward,) = shop.rewards_of("anna")

    assert bot.put({"note": "a farm", "takes": "granted"}, BAN).json()["flagged"] == [reward.pk]

    assert [each.status for each in shop.rewards_of("anna")] == ["flagged"]
    assert ledger.verify() == []


def test_nobody_can_log_in_as_a_key(shop, bot):
    shop.joins("anna")
    bot.put({"note": "x"}, BAN)

    row = Staff.objects.get(username__startswith=programs.START)

    assert (row.is_active, row.is_staff, row.has_usable_password()) == (False, False, False)
    assert not row.groups.exists()


def test_twice_is_once(shop, bot):
    shop.joins("anna")
    bot.put({"note": "x"}, BAN)

    assert refused(bot.put({"note": "x"}, BAN)) == (409, "already_banned")
    assert bot.delete(f"{BAN}?note=x").status_code == 204
    assert refused(bot.delete(f"{BAN}?note=x")) == (409, "not_banned")
    assert Staff.objects.filter(username__startswith=programs.START).count() == 1


@pytest.mark.parametrize(
    ("body", "pointer"), [({}, "/note"), ({"note": " "}, "/note"), ({"note": "x", "takes": "all"}, "/takes")]
)
def test_a_ban_needs_a_reason(shop, bot, body, pointer):
    shop.joins("anna")

    answer = bot.put(body, BAN)

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, [pointer])
    assert bot.delete(BAN).status_code == 400
    assert status_of("anna") == "active"


def test_a_stranger_bans_nobody_and_a_key_needs_the_scope(shop, acme, bolt):
    shop.joins("anna")

    stranger, reader = program_of(bolt, "members:write"), program_of(acme, "members:read")

    for caller, expected in ((stranger, (404, "unknown_member")), (reader, (403, "missing_scope"))):
        assert refused(caller.put({"note": "x"}, BAN)) == expected
        assert refused(caller.delete(f"{BAN}?note=x")) == expected
    context._set(acme)
    assert status_of("anna") == "active"
