import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members.normalise import (
    KINDS,
    InvalidIdentity,
    NobodyNamed,
    RawCardNumber,
    UnknownKind,
    derived_of,
    normalise,
    normalise_one,
    region_of,
)

# Numbers that payment systems publish for tests.
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011000990139424", "2200000000000004"]


def lookup_of(kind, value, region="RU"):
    return normalise_one(kind=kind, value=value, region=region).lookup


@pytest.mark.parametrize(
    ("given_", "shown", "lookup"),
    [
        (" Anna@Example.COM ", "anna@example.com", "anna@example.com"),
        ("anna+shop@example.com", "anna+shop@example.com", "anna@example.com"),
        ("A.n.n.a+x+y@gmail.com", "a.n.n.a+x+y@gmail.com", "anna@gmail.com"),
        ("an.na@googlemail.com", "an.na@googlemail.com", "anna@gmail.com"),
        ("Anna@gmail.com.", "anna@gmail.com", "anna@gmail.com"),
        ("An-na+x@ya.ru", "an-na+x@ya.ru", "an.na@yandex.ru"),
        ("an.na@yandex.com", "an.na@yandex.com", "an.na@yandex.ru"),
        ("an.na@example.com", "an.na@example.com", "an.na@example.com"),
        ("анна@почта.рф", "анна@почта.рф", "анна@xn--80a1acny.xn--p1ai"),
        ("+anna@example.com", "+anna@example.com", "+anna@example.com"),
        ("\uff41nna@example.com", "anna@example.com", "anna@example.com"),
    ],
)
def test_an_e_mail_is_shown_as_given_and_compared_by_its_mailbox(given_, shown, lookup):
    assert normalise_one(kind="email", value=given_, region=None) == ("email", shown, lookup)


@pytest.mark.parametrize(
    "value",
    ["anna", "anna@", "@example.com", "anna@example", "a b@example.com", "a@b@example.com", "a@ex..com", "a" * 65],
)
def test_what_is_no_e_mail_is_refused(value):
    with pytest.raises(InvalidIdentity):
        lookup_of("email", value)


@pytest.mark.parametrize(
    ("value", "region", "e164"),
    [
        ("+7 (921) 123-45-67", None, "+79211234567"),
        ("8 921 123-45-67", "RU", "+79211234567"),
        ("\u202a+7 921 123-45-67\u202c", None, "+79211234567"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("138 1234 5678", "CN", "+8613812345678"),
    ],
)
def test_a_phone_becomes_e164(value, region, e164):
    assert normalise_one(kind="phone", value=value, region=region) == ("phone", e164, e164)


@pytest.mark.parametrize("value", ["921 123-45-67", "+7", "anna", "+7921123456789012", "1" * 300])
def test_what_is_no_phone_without_a_country_is_refused(value):
    with pytest.raises(InvalidIdentity):
        lookup_of("phone", value, region=None)


@pytest.mark.parametrize(("value", "lookup"), [("12345", "12345"), (12345, "12345"), ("0012345", "12345")])
def test_a_telegram_user_is_a_number(value, lookup):
    assert lookup_of("telegram", value) == lookup


@pytest.mark.parametrize("value", ["@anna", "anna", "-100123", "0", "1.5", "1" * 21, True, 1.5])
def test_a_telegram_name_or_group_is_refused(value):
    with pytest.raises(InvalidIdentity):
        lookup_of("telegram", value)


@pytest.mark.parametrize(
    ("value", "shown", "lookup"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:0DB8:1:2:ffff::9", "2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
    ],
)
def test_an_address_is_shown_as_it_is_and_compared_by_its_line(value, shown, lookup):
    assert normalise_one(kind="ip", value=value, region=None) == ("ip", shown, lookup)


@pytest.mark.parametrize(
    "value", ["203.0.113", "203.0.113.256", "010.0.0.1", "fe80::1%eth0", "localhost", "1.2.3.4/24"]
)
def test_what_is_no_address_is_refused(value):
    with pytest.raises(InvalidIdentity):
        lookup_of("ip", value)


@pytest.mark.parametrize(
    ("kind", "value", "made"),
    [
        ("ip", "203.0.113.7", ("subnet", "203.0.113.0/24")),
        ("ip", "2001:db8:1:2::1", ("subnet", "2001:db8:1::/48")),
        ("email", "ivan.petrov-85+x@mail.ru", ("email_alike", "ivanpetrov@mail.ru")),
        ("email", "1ivan_petrov@mail.ru", ("email_alike", "ivanpetrov@mail.ru")),
        ("email", "ivan.petr0v@mail.ru", ("email_alike", "ivanpetrov@mail.ru")),
        ("email", "i.l1ya99@googlemail.com", ("email_alike", "illya@gmail.com")),
        ("email", "иvan@mail.ru", ("email_alike", "иvan@mail.ru")),
        ("email", "pеtrov@mail.ru", ("email_alike", "petrov@mail.ru")),
        ("email", "pétrov@mail.ru", ("email_alike", "petrov@mail.ru")),
        ("email", "pеtrονі4@mail.ru", ("email_alike", "petrovi@mail.ru")),
        ("email", "abc1@mail.ru", None),
        ("email", "79161234567@mail.ru", None),
        ("phone", "+79211234567", None),
        ("card", "token-1", None),
    ],
)
def test_what_is_nearly_the_same_is_made_of_an_address_or_a_mailbox(kind, value, made):
    found = derived_of(normalise_one(kind=kind, value=value, region="RU"))

    assert (found and (found.kind, found.lookup)) == made


@given(st.ip_addresses())
def test_any_address_is_taken_and_stands_in_its_own_subnet(address):
    if getattr(address, "scope_id", None):
        return
    one = normalise_one(kind="ip", value=str(address), region=None)

    subnet = derived_of(one)

    assert subnet is not None
    assert ipaddress.ip_address(one.value) in ipaddress.ip_network(subnet.lookup)


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("between", ["", " ", "-", "\u2011", "\u00a0"])
def test_a_card_number_is_refused_however_it_is_written(number, between):
    with pytest.raises(RawCardNumber):
        lookup_of("card", between.join(number[i : i + 4] for i in range(0, len(number), 4)))


def test_a_card_number_in_full_width_digits_is_refused():
    with pytest.raises(RawCardNumber):
        lookup_of("card", "".join(chr(ord(digit) + 0xFEE0) for digit in CARDS[0]))


@pytest.mark.parametrize("token", ["tok_1NxY", "4111111111111112", "411111", "9f86d081884c7d65", "411111******1111"])
def test_a_card_token_is_taken_as_it_is(token):
    assert lookup_of("card", token) == token


@given(st.from_regex(r"[0-9]{12,18}", fullmatch=True))
def test_of_all_last_digits_exactly_one_makes_a_card_number(digits):
    refused = 0
    for last in "0123456789":
        try:
            lookup_of("card", digits + last)
        except RawCardNumber:
            refused += 1

    assert refused == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", ["", "  ", "a\x00b", "a\nb", "\ud800", None, [], {"a": 1}, "x" * 255])
def test_empty_unstorable_and_overlong_values_are_refused_in_every_kind(kind, value):
    with pytest.raises(InvalidIdentity) as refused:
        normalise_one(kind=kind, value=value, region="RU", pointer=f"/member/{kind}")

    assert [error["pointer"] for error in refused.value.errors] == [f"/member/{kind}"]


def test_ids_of_the_tenant_keep_their_case_and_their_form():
    assert lookup_of("external_id", " A-①7 ") == "A-①7"
    assert lookup_of("external_id", 42) == "42"


@given(st.sampled_from(KINDS), st.text(max_size=60))
def test_whatever_is_taken_is_taken_again_with_the_same_lookup(kind, value):
    try:
        once = normalise_one(kind=kind, value=value, region="RU")
    except (InvalidIdentity, RawCardNumber):
        return

    assert normalise_one(kind=kind, value=once.value, region="RU") == once


def test_identities_come_back_strongest_first_without_those_not_given():
    clean = normalise(identities={"device": "d", "email": "a@b.co", "phone": None, "external_id": "7"}, region=None)

    assert [one.kind for one in clean] == ["external_id", "email", "device"]


@pytest.mark.parametrize("identities", [{}, {"phone": None}, {"card": "tok_1", "device": "d"}, {"ip": "203.0.113.7"}])
def test_somebody_must_be_named(identities):
    with pytest.raises(NobodyNamed) as refused:
        normalise(identities=identities, region=None, pointer="/member")

    assert [error["pointer"] for error in refused.value.errors] == ["/member"]


def test_an_unknown_kind_is_refused_and_pointed_at():
    with pytest.raises(UnknownKind) as refused:
        normalise(identities={"external_id": "7", "a/b~c": "x"}, region=None, pointer="/events/3/member")

    assert [error["pointer"] for error in refused.value.errors] == ["/events/3/member/a~1b~0c"]


@pytest.mark.parametrize(
    ("currency", "region"), [("RUB", "RU"), ("USD", "US"), ("CNY", "CN"), ("EUR", None), ("XAU", None), ("", None)]
)
def test_a_national_currency_names_its_country(currency, region):
    assert region_of(currency) == region
