"""What counts as shown truly: a guide that is wrong does not pass."""

import pytest

from tests.guides.comparing import differences
from tests.guides.reading import steps_of

SHOWN = {"id": 4, "status": "granted", "at": "2026-03-17T12:00:00Z", "code": "ANNA26", "amount": 100}


@pytest.mark.parametrize(
    "true",
    [SHOWN, SHOWN | {"id": 17}, SHOWN | {"at": "2026-11-22T07:23:21.696659-05:00"}, SHOWN | {"code": "B7K2"}],
)
def test_ids_times_and_codes_are_each_readers_own(true):
    assert differences(SHOWN, true) == []


@pytest.mark.parametrize(
    ("true", "told"),
    [
        (SHOWN | {"status": "pending"}, [".status: shown 'granted', but it is 'pending'"]),
        (SHOWN | {"amount": 99}, [".amount: shown 100, but it is 99"]),
        (SHOWN | {"amount": 100.0}, [".amount: shown 100, but it is 100.0"]),
        (SHOWN | {"id": None}, [".id: shown 4, but it is None"]),
        (SHOWN | {"code": ""}, [".code: shown 'ANNA26', but it is ''"]),
        (SHOWN | {"at": "noon"}, [".at: shown '2026-03-17T12:00:00Z', but it is 'noon'"]),
        (SHOWN | {"more": 1}, [".more: there, but not shown (1)"]),
        ({each: SHOWN[each] for each in SHOWN if each != "id"}, [".id: shown, but not there"]),
    ],
)
def test_all_else_must_be_as_it_is_shown(true, told):
    assert differences(SHOWN, true) == told


def test_what_a_list_holds_is_compared_in_order_and_number():
    assert differences({"data": [1, 2]}, {"data": [1, 3]}) == [".data[1]: shown 2, but it is 3"]
    assert differences({"data": [1]}, {"data": [1, 2]}) == [".data: shown [1], but it is [1, 2]"]


def test_a_guide_may_leave_members_out_if_it_says_so():
    assert differences({"id": 1, "…": "…"}, {"id": 1, "status": "active"}) == []


def test_a_step_is_one_thing_in_several_languages_with_its_answer(tmp_path):
    guide = tmp_path / "guide.md"
    guide.write_text(
        '```sh\none\n```\n\n```python\none\n```\n\n```json\n{"id": 1}\n```\n\n```sh\ntwo\n```\n\n```sh\nthree\n```\n'
    )

    first, second, third = steps_of(guide)

    assert (first.said, first.answer) == ({"sh": "one\n", "python": "one\n"}, {"id": 1})
    assert (second.said, second.answer) == ({"sh": "two\n"}, None)
    assert (third.said, third.answer) == ({"sh": "three\n"}, None)
