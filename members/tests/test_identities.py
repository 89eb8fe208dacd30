import pytest

from core import sealing
from members.identities import SEALED, mask, masked, prepare

GIVEN = {
    "external_id": "u-7",
    "telegram": 4711,
    "email": "Anna+news@Example.com",
    "phone": "8 921 123-45-67",
    "card": "tok_9f86d0811f3a",
    "device": "fp-1",
    "ip": "203.0.113.7",
}


def test_personal_values_are_sealed_and_the_others_are_not():
    stored = {one.kind: one for one in prepare(schema="t_acme", identities=GIVEN, region="RU")}

    assert (stored["external_id"].lookup, stored["external_id"].value) == ("u-7", "u-7")
    assert (stored["telegram"].lookup, stored["telegram"].value) == ("4711", "4711")
    opened = {k: sealing.unseal(schema="t_acme", kind=k, value=stored[k].value) for k in SEALED}
    assert opened == {
        "email": "anna+news@example.com",
        "phone": "+79211234567",
        "card": "tok_9f86d0811f3a",
        "device": "fp-1",
        "ip": "203.0.113.7",
    }


def test_two_ways_of_writing_one_address_have_one_lookup():
    first, _alike = prepare(schema="t_acme", identities={"email": "an.na+x@gmail.com"}, region=None)
    second, _alike = prepare(schema="t_acme", identities={"email": "Anna@googlemail.com"}, region=None)

    assert first.lookup == second.lookup
    assert first.value != second.value


def test_the_same_address_has_another_lookup_in_another_tenant():
    here, _alike = prepare(schema="t_acme", identities={"email": "anna@example.com"}, region=None)
    there, _alike = prepare(schema="t_bolt", identities={"email": "anna@example.com"}, region=None)

    assert here.lookup != there.lookup


@pytest.mark.parametrize(
    ("kind", "plain", "shown"),
    [
        ("email", "anna@gmail.com", "a***@g***.com"),
        ("email", "анна@почта.рф", "а***@п***.рф"),
        ("phone", "+79211234534", "+7 *** ** 34"),
        ("phone", "+8613812345678", "+86 *** ** 78"),
        ("card", "tok_9f86d0811f3a", "card …1f3a"),
        ("card", "tok_1", "card …"),
        ("device", "9f86d081884c7d65", "device …7d65"),
        ("ip", "203.0.113.7", "203.0.*"),
        ("ip", "2001:db8:1:2::1", "2001:db8:*"),
        ("external_id", "u-7", "u-7"),
        ("telegram", "4711", "4711"),
    ],
)
def test_a_mask_shows_enough_to_recognise_it(kind, plain, shown):
    assert mask(kind, plain) == shown


def test_what_is_stored_can_be_shown_masked():
    shown = {
        one.kind: masked(schema="t_acme", kind=one.kind, value=one.value)
        for one in prepare(schema="t_acme", identities=GIVEN, region="RU")
    }

    assert shown == {
        "external_id": "u-7",
        "telegram": "4711",
        "email": "a***@e***.com",
        "phone": "+7 *** ** 67",
        "card": "card …1f3a",
        "device": "device …",
        "ip": "203.0.*",
        "subnet": "",
        "email_alike": "",
    }


def test_what_is_nearly_the_same_has_an_index_of_its_own_and_no_value():
    given = {"external_id": "u-7", "email": "Anna.Petrova1@example.com", "ip": "203.0.113.7"}
    near = {"external_id": "u-8", "email": "annapetrova2+x@example.com", "ip": "203.0.113.250"}

    one, other = (prepare(schema="t_acme", identities=each, region=None) for each in (given, near))

    assert [each.kind for each in one] == ["external_id", "email", "ip", "email_alike", "subnet"]
    assert one[3:] == other[3:]
    assert {each.value for each in one[3:]} == {""}
    assert {each.lookup for each in one[:3]}.isdisjoint(each.lookup for each in other)
