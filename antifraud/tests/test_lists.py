"""Lines of lists: what is clean, what may stand where, and that those who are listed are seen."""

from datetime import timedelta

import pytest

from antifraud.lists import lines, listings, ranges
from antifraud.lists.listings import Wish
from antifraud.models import FraudPolicy, Listing, Signal
from core import sealing
from core.db import current_schema, transaction
from core.errors import Failure
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign

pytestmark = pytest.mark.django_db


def put(kind: str, text: str, *, name: str = "block", **said) -> listings.Put:
    wish = Wish(list=name, line=line(kind, text), **{"answer": "flag" if name == "block" else "", **said})
    with transaction():
        return listings.put(wishes=[wish], by="marta", at=NOON)


def line(kind: str, text: str) -> lines.Line:
    return lines.line_of(kind=kind, text=text, schema=current_schema(), region="RU")


def version() -> int:
    return FraudPolicy.objects.get(singleton=True).lists_version


@pytest.mark.parametrize(
    ("kind", "text", "lookup"),
    [
        ("member", "#17", "17"),
        ("external_id", " anna ", "anna"),
        ("telegram", "007", "7"),
        ("email_domain", "@Müller.Example.", "xn--mller-kva.example"),
        ("ip_range", "203.0.113.77/24", "203.0.113.0/24"),
        ("ip_range", "203.0.113.77", "203.0.113.77/32"),
        ("ip_range", "2001:DB8::1/48", "2001:db8::/48"),
        ("ip_range", "::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("ip_range", "10.0.0.0/8", "10.0.0.0/8"),
        ("ip_range", "2001::/16", "2001::/16"),
    ],
)
def test_a_line_is_stored_clean(kind, text, lookup):
    assert line(kind, text) == (kind, lookup, lookup)


def test_what_is_personal_is_sealed_and_found_by_equality():
    found = line("email", "Anna+shop@Example.com")

    assert found.lookup == sealing.index(schema="t_acme", kind="email", lookup="anna@example.com")
    assert sealing.unseal(schema="t_acme", kind="email", value=found.value) == "anna+shop@example.com"


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("ip_range", "8.0.0.0/7", "range_too_wide"),
        ("ip_range", "0.0.0.0/0", "range_too_wide"),
        ("ip_range", "2000::/15", "range_too_wide"),
        ("ip_range", "203.0.113.0/33", "invalid_line"),
        ("ip_range", "office", "invalid_line"),
        ("email_domain", "example", "invalid_line"),
        ("email_domain", "a@example.com", "invalid_line"),
        ("email_domain", "exa mple.com", "invalid_line"),
        ("member", "anna", "invalid_line"),
        ("member", "0", "invalid_line"),
        ("shoe_size", "45", "invalid_line"),
        ("email", "anna", "invalid_identity"),
        ("card", "4111 1111 1111 1111", "raw_card_number"),
    ],
)
def test_what_is_not_of_its_kind_is_refused(kind, text, code):
    with pytest.raises(Failure) as failure:
        line(kind, text)

    assert failure.value.code == code


@pytest.mark.parametrize(
    ("name", "kind", "said", "code"),
    [
        ("block", "email_domain", {"answer": ""}, "unknown_answer"),
        ("staff", "email_domain", {"answer": "flag"}, "unknown_answer"),
        ("exempt", "email_domain", {}, "exemption_without_end"),
        ("exempt", "email_domain", {"until": NOON}, "already_over"),
        ("datacenter", "email_domain", {}, "not_a_range"),
    ],
)
def test_what_may_not_stand_in_a_list_is_refused(name, kind, said, code):
    with pytest.raises(Failure) as failure:
        put(kind, "example.com", name=name, **said)

    assert failure.value.code == code
    assert not Listing.objects.exists()
    assert version() == 0


def test_nobody_is_listed_who_does_not_exist(acme):
    with pytest.raises(listings.NobodyListed):
        put("member", "999999999")

    assert not Listing.objects.exists()


def test_a_line_that_is_put_again_says_what_it_says_now(acme):
    assert put("email", "anna@example.com", note="first") == (listings.Put(1, 0))
    assert put("email", "ANNA@example.com", answer="refuse", note="then") == listings.Put(0, 1)

    (row,) = Listing.objects.all()
    assert (row.answer, row.note, listings.masked(row), listings.plain(row)) == (
        "refuse",
        "then",
        "a***@e***.com",
        "anna@example.com",
    )


def test_the_audit_log_tells_masked_values(acme):
    put("email", "anna@example.com", note="chargebacks")
    (row,) = Listing.objects.all()

    with transaction():
        assert listings.remove(listing_ids=[row.pk], by="marta", at=NOON) == 1
        assert listings.remove(listing_ids=[row.pk], by="marta", at=NOON) == 0

    told = AuditEntry.objects.filter(action__startswith="listing.").order_by("id")
    target = f"listing:{row.pk} block email a***@e***.com"
    assert [(each.action, each.target, each.changes) for each in told] == [
        ("listing.added", target, {"then": "flag", "note": "chargebacks"}),
        ("listing.removed", target, {"then": "flag", "note": "chargebacks"}),
    ]


def test_only_ranges_and_domains_have_a_version(acme):
    put("email", "anna@example.com")
    assert version() == 0
    put("email_domain", "example.com")
    assert version() == 1
    put("ip_range", "203.0.113.0/24", name="datacenter")
    assert version() == 2
    with transaction():
        listings.remove(
            listing_ids=Listing.objects.filter(kind="ip_range").values_list("pk", flat=True), by="x", at=NOON
        )
    assert version() == 3


def at(*, days: int = 0):
    return ranges.current(version=version(), at=NOON + timedelta(days=days))


def test_an_address_is_found_in_every_range_that_holds_it(acme):
    put("ip_range", "203.0.113.0/24")
    put("ip_range", "203.0.0.0/16", name="datacenter")
    put("ip_range", "203.0.113.7", name="exempt", until=NOON + timedelta(days=2))
    put("ip_range", "2001:db8::/32", answer="refuse")
    ids = dict(Listing.objects.values_list("lookup", "pk"))

    assert at().match("203.0.113.7") == [
        ("block", "flag", ids["203.0.113.0/24"]),
        ("datacenter", "", ids["203.0.0.0/16"]),
        ("exempt", "", ids["203.0.113.7/32"]),
    ]
    assert [each.list for each in at(days=2).match("203.0.113.7")] == ["block", "datacenter"]
    assert [each.list for each in at().match("::ffff:203.0.113.8")] == ["block", "datacenter"]
    assert [each.list for each in at().match("203.0.114.0")] == ["datacenter"]
    assert at().match("203.1.0.0") == []
    assert [each.answer for each in at().match("2001:db8:ffff::1")] == ["refuse"]
    assert at().match("2001:db9::1") == []


def test_a_domain_stands_for_those_below_it(acme):
    put("email_domain", "example.com")

    assert [each.list for each in at().domain("mail.Example.com")] == ["block"]
    assert [each.list for each in at().domain("example.com")] == ["block"]
    assert at().domain("notexample.com") == []
    assert at().domain("com") == []
    assert at().domain("not a domain") == []


def test_lists_are_read_once_for_each_version(acme, django_assert_num_queries):
    put("email_domain", "example.com")
    first = version()
    with django_assert_num_queries(1):
        ranges.current(version=first, at=NOON)
        ranges.current(version=first, at=NOON)
    put("email_domain", "example.org")

    with django_assert_num_queries(1):
        assert ranges.current(version=first + 1, at=NOON).domain("example.org")


def test_lists_of_one_tenant_are_not_the_others(acme, bolt):
    put("email_domain", "example.com")
    assert at().domain("example.com")

    with context.in_tenant(bolt.schema_name):
        put("email_domain", "example.org")
        assert (version(), at().domain("example.com")) == (1, [])


def test_the_domains_and_ranges_that_are_listed_are_seen_where_a_friend_is_rewarded(acme):
    shop = Shop()
    make_campaign(rule={"recipient": "inviter"})
    put("email_domain", "bad.example")
    put("ip_range", "198.51.100.0/24", name="datacenter")
    shop.joins("anna")
    friend = {"external_id": "boris", "email": "boris@mail.bad.example", "ip": "198.51.100.9"}
    shop.joins(friend, invited_by="anna")
    shop.pays("boris", "500")

    (reward,) = shop.rewards_of("anna")
    assert reward.status == "flagged"
    boris = shop.id_of("boris")
    seen = dict(Signal.objects.values_list("name", "evidence"))
    assert seen["block_list"] == {"member": boris, "kind": "email_domain"}
    assert seen["datacenter"] == {"member": boris}


def test_what_stops_the_erased_cannot_be_read_back(acme):
    shop = Shop()
    shop.joins({"external_id": "anna", "email": "anna@example.com"})
    put("email", "anna@example.com")
    put("email", "boris@example.com")

    with transaction():
        listings.forget(member_id=shop.id_of("anna"))

    rows = Listing.objects.order_by("pk")
    assert [(listings.masked(row), bool(row.lookup)) for row in rows] == [("", True), ("b***@e***.com", True)]
