import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes import (
    ALPHABET,
    can_be_chosen,
    is_code,
    may_be_code,
    new_code,
    new_key,
    normalise_code,
    normalise_shared,
    secret_hash,
    split_key,
)


def dice(seed):
    return random.Random(seed)  # noqa: S311 (a test's dice fall the same each time)


codes = st.builds(lambda seed, length: new_code(length=length, rng=dice(seed)), st.integers(), st.integers(3, 29))


def test_the_alphabet_has_no_look_alikes():
    assert len(set(ALPHABET)) == 30
    assert not set(ALPHABET) & set("01ILOU")


@given(codes)
def test_a_new_code_is_a_code(code):
    assert is_code(code)


def test_a_code_is_as_long_as_asked_and_one_for_the_check():
    assert len(new_code()) == 11
    assert len(new_code(length=6)) == 7


@given(codes)
def test_every_single_wrong_character_is_noticed(code):
    for place, right in enumerate(code):
        for wrong in set(ALPHABET) - {right}:
            assert not is_code(code[:place] + wrong + code[place + 1 :])


@given(codes)
def test_every_swap_of_two_characters_is_noticed(code):
    for i in range(len(code)):
        for j in range(i + 1, len(code)):
            swapped = code[:i] + code[j] + code[i + 1 : j] + code[i] + code[j + 1 :]
            assert swapped == code or not is_code(swapped)


@given(codes)
def test_a_code_survives_how_people_write_it(code):
    half = len(code) // 2

    assert normalise_code(f"  {code[:half].lower()}-{code[half:]}\u2014 ") == code
    assert normalise_code("".join(chr(ord(c) + 0xFEE0) for c in code)) == code  # full-width, as from a Chinese keyboard
    assert normalise_code(code.translate(str.maketrans("ABCEHKMPTXY", "АВСЕНКМРТХУ"))) == code


@given(st.text(alphabet=ALPHABET + ALPHABET.lower() + "01ilou -–\u2007АВСЕНКМРТХУ"))
def test_normalising_twice_changes_nothing_more(text):
    assert normalise_code(normalise_code(text)) == normalise_code(text)


@pytest.mark.parametrize("text", ["", "2", "222", "0O1I", "ANNA", "2" * 31, "\u0000" * 11, "ß" * 11])
def test_other_texts_are_no_codes(text):
    assert not is_code(text)


@pytest.mark.parametrize(("typed", "meant"), [("ОLEG", "OLEG"), ("аnтоn", "ANTON"), ("ВОВ-О", "BOBO")])
def test_a_russian_o_in_a_code_that_members_share_is_made_latin(typed, meant):
    assert may_be_code(typed)
    assert can_be_chosen(typed)
    assert normalise_shared(typed) == meant


def test_a_russian_o_in_any_other_code_stays_as_it_was_found_by():
    assert normalise_code("ОМ") == "ОM"
    assert normalise_shared("ОМ") == "OM"


@pytest.mark.parametrize("text", ["ANNA", "anna", "А Н-Н А", "2026", "SUMMER2026SALE00", "L33T"])
def test_a_word_of_latin_letters_and_digits_can_be_chosen(text):
    assert can_be_chosen(text)
    assert may_be_code(text)


@pytest.mark.parametrize(
    "text", ["", "ANN", "A" * 17, "ИВАН", "АNNЯ", "ANNA!", "AN_NA", "ANNA\u0000", "ßßßß\u0301", "١٢٣٤"]
)
def test_other_texts_cannot_be_chosen(text):
    assert not can_be_chosen(text)


@given(st.integers())
def test_neither_a_random_code_nor_one_with_a_slip_in_it_can_be_chosen(seed):
    code = new_code(rng=dice(seed))
    mistyped = ("2" if code[0] == "3" else "3") + code[1:]

    assert may_be_code(code)
    assert not can_be_chosen(code)
    assert not may_be_code(mistyped)


def test_the_same_dice_give_the_same_code():
    assert new_code(rng=dice(7)) == new_code(rng=dice(7))


@pytest.mark.parametrize(("environment", "word"), [("live", "live"), ("sandbox", "test")])
def test_a_key_says_where_it_leads_and_comes_apart_again(environment, word):
    key = new_key(environment)

    assert re.fullmatch(rf"sk_{word}_[2-9a-hjkmnp-tv-z]{{8}}_[A-Za-z0-9_-]{{43}}", key.full)
    assert split_key(key.full) == key


def test_a_publishable_key_says_that_it_is_one():
    key = new_key("sandbox", "publishable")

    assert key.full.startswith(f"pk_test_{key.prefix}_")
    assert split_key(key.full) == key


@given(st.text())
def test_no_other_text_comes_apart_like_a_key(text):
    assert split_key(text) is None


def test_a_key_of_the_wrong_shape_does_not_come_apart():
    full = new_key("live").full

    assert split_key(full[:-1]) is None
    assert split_key(full.replace("sk_", "xk_", 1)) is None
    assert split_key(full.replace("_live_", "_prod_", 1)) is None
    assert split_key(full[:-1] + "я") is None


def test_a_secret_is_stored_as_its_sha_256():
    # FIPS 180-2, appendix B.1.
    assert secret_hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
