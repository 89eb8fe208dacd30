"""A process's short memory."""

from unittest.mock import Mock

import pytest

from tenants.memory import Memory


@pytest.fixture
def clock(monkeypatch) -> Mock:
    clock = Mock(return_value=100.0)
    monkeypatch.setattr("tenants.memory.time.monotonic", clock)
    return clock


def test_an_answer_is_looked_up_once(clock):
    look_up = Mock(return_value=None)
    found: Memory[None] = Memory(ttl_seconds=30, size_max=10)

    assert [found.recall("a", look_up) for _ in range(3)] == [None, None, None]

    assert look_up.call_count == 1


def test_an_answer_is_looked_up_again_when_its_time_is_over(clock):
    look_up = Mock(side_effect=["old", "new"])
    found: Memory[str] = Memory(ttl_seconds=30, size_max=10)
    found.recall("a", look_up)

    clock.return_value = 129.9
    assert found.recall("a", look_up) == "old"
    clock.return_value = 130.0
    assert found.recall("a", look_up) == "new"


def test_the_oldest_answer_goes_when_there_are_too_many(clock):
    found: Memory[str] = Memory(ttl_seconds=30, size_max=2)
    for key in ("a", "b", "c"):
        found.recall(key, lambda key=key: key)

    look_up = Mock(return_value="again")
    answers = [found.recall(key, look_up) for key in ("b", "c", "a")]

    assert answers == ["b", "c", "again"]


def test_nothing_is_remembered_of_a_look_up_that_failed(clock):
    found: Memory[str] = Memory(ttl_seconds=30, size_max=2)
    with pytest.raises(ZeroDivisionError):
        found.recall("a", lambda: str(1 / 0))

    assert found.recall("a", lambda: "fine") == "fine"
