import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sealing import CannotUnseal, fingerprint, index, seal, unseal

texts = st.text(st.characters(codec="utf-8"), max_size=300)


@given(texts)
def test_what_was_sealed_opens(value):
    assert unseal(schema="t_acme", kind="email", value=seal(schema="t_acme", kind="email", value=value)) == value


def test_the_same_value_is_sealed_differently_each_time():
    assert seal(schema="t_acme", kind="email", value="a@b.co") != seal(schema="t_acme", kind="email", value="a@b.co")


@pytest.mark.parametrize(("schema", "kind"), [("t_bolt", "email"), ("t_acme_sandbox", "email"), ("t_acme", "phone")])
def test_what_was_sealed_does_not_open_elsewhere(schema, kind):
    sealed = seal(schema="t_acme", kind="email", value="anna@example.com")

    with pytest.raises(CannotUnseal):
        unseal(schema=schema, kind=kind, value=sealed)


@given(st.data())
def test_what_was_changed_does_not_open(data):
    sealed = seal(schema="t_acme", kind="email", value="anna@example.com")
    place = data.draw(st.integers(0, len(sealed) - 2))  # some of the last character's bits carry nothing
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != sealed[place]))

    with pytest.raises(CannotUnseal):
        unseal(schema="t_acme", kind="email", value=sealed[:place] + other + sealed[place + 1 :])


@given(texts)
def test_what_was_never_sealed_does_not_open(value):
    with pytest.raises(CannotUnseal):
        unseal(schema="t_acme", kind="email", value=value)


def test_an_index_is_equal_for_equal_values_of_one_kind_in_one_schema_only():
    here = index(schema="t_acme", kind="email", lookup="anna@example.com")

    assert here == index(schema="t_acme", kind="email", lookup="anna@example.com")
    elsewhere = {
        index(schema="t_bolt", kind="email", lookup="anna@example.com"),
        index(schema="t_acme_sandbox", kind="email", lookup="anna@example.com"),
        index(schema="t_acme", kind="device", lookup="anna@example.com"),
        index(schema="t_acme", kind="email", lookup="anna@example.org"),
    }
    assert len({here, *elsewhere}) == 5
    assert {len(each) for each in elsewhere} == {64}


def test_a_fingerprint_is_keyed_by_schema_and_is_not_an_index():
    prints = {
        fingerprint(schema="t_acme", payload=b"email|a"),
        fingerprint(schema="t_bolt", payload=b"email|a"),
        index(schema="t_acme", kind="email", lookup="a"),
    }

    assert len(prints) == 3


def test_after_a_change_of_the_master_key_old_values_open_and_are_found(settings):
    sealed = seal(schema="t_acme", kind="email", value="anna@example.com")
    lookup = index(schema="t_acme", kind="email", lookup="anna@example.com")

    settings.ENCRYPTION_KEYS_OLD = [settings.ENCRYPTION_KEY]
    settings.ENCRYPTION_KEY = secrets.token_bytes(32)

    assert unseal(schema="t_acme", kind="email", value=sealed) == "anna@example.com"
    assert index(schema="t_acme", kind="email", lookup="anna@example.com") == lookup
    assert seal(schema="t_acme", kind="email", value="x").split(".")[1] != sealed.split(".")[1]


def test_without_the_old_master_key_old_values_do_not_open(settings):
    sealed = seal(schema="t_acme", kind="email", value="anna@example.com")

    settings.ENCRYPTION_KEY = secrets.token_bytes(32)

    with pytest.raises(CannotUnseal):
        unseal(schema="t_acme", kind="email", value=sealed)
