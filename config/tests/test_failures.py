import pytest

from config import failures
from core.db import in_transaction
from core.errors import Conflict, Failure, NotFound


class Away(NotFound):
    """Raised deep below."""


class Busy(Conflict):
    """Raised where a table says so."""


class Caught(Conflict):
    """Only caught, and never made."""


class Typed(Conflict):
    """Only in a type."""


def look(number: int) -> int:
    if number > 1:
        raise Away
    return number


def refuse() -> None:
    raise TABLE["busy"]


TABLE = {"busy": Busy}
BY_NAME = {"look": look}


@in_transaction
def decorated() -> int:
    return look(1)


def again(count: int) -> None:
    again(count - 1)
    refuse()


def catches(given: Typed | None = None) -> None:
    try:
        look(1)
    except Caught:
        return


class Worker:
    def work(self) -> int:
        return self._look()

    def _look(self) -> int:
        return decorated()


@pytest.mark.parametrize(
    ("function", "found"),
    [
        (look, {Away}),
        (refuse, {Busy}),
        (again, {Busy}),
        (catches, {Away}),
        (Worker.work, {Away}),
        (lambda: BY_NAME["look"](1), {Away}),
    ],
    ids=["made", "of a table", "recursive", "not what is caught or a type", "of methods and wrappers", "by name"],
)
def test_a_failure_is_found_wherever_it_is_made_below(function, found):
    assert failures.failures_of(function, of=Worker) == found


def test_a_failure_of_another_is_not_followed():
    assert failures.failures_of(Failure.__str__, of=Failure) == frozenset()
