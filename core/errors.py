"""The families of expected failures. A failure is defined beside the verb that raises it."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, NotRequired, TypedDict

from django.db import IntegrityError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# What modules that know nothing of Django mark their sentences with: `from core.errors import translated as _`.
translated = _

# Promise is what gettext_lazy gives: text that is translated when it is shown.
type_of_text = str | Promise


class FieldError(TypedDict):
    """
    One thing wrong with what was sent.

    `pointer` is a JSON pointer (RFC 6901) into the body, `parameter` the name of a parameter of the query.
    """

    pointer: NotRequired[str]
    parameter: NotRequired[str]
    detail: type_of_text


class Failure(Exception):
    """
    Say that a verb could not do its work, in a sentence that a client may read.

    Subclass one of the families below, never this class. `message` is the sentence used when none is given;
    `pointer`, or `parameter`, is short for one entry of `errors` with the same sentence; `extra` adds members to the
    problem document.
    """

    message: ClassVar[type_of_text] = _("The request could not be carried out.")

    def __init__(
        self,
        message: type_of_text | None = None,
        *,
        pointer: str | None = None,
        parameter: str | None = None,
        errors: Sequence[FieldError] = (),
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.detail: type_of_text = self.message if message is None else message
        super().__init__(self.detail)
        self.errors = [*errors]
        if pointer is not None:
            self.errors.insert(0, FieldError(pointer=pointer, detail=self.detail))
        if parameter is not None:
            self.errors.insert(0, FieldError(parameter=parameter, detail=self.detail))
        self.extra = extra or {}

    @property
    def code(self) -> str:
        """The class's name in snake_case: what programs test for."""
        return code_of(type(self).__name__)

    def __str__(self) -> str:
        return str(self.detail)


class Invalid(Failure):
    """What was sent makes no sense."""

    message = _("The request is not valid.")


class Unprocessable(Failure):
    """What was sent makes sense, but contradicts something said before."""

    message = _("The request contradicts an earlier one.")


class Denied(Failure):
    """The caller may not do this."""

    message = _("You may not do this.")


class NotFound(Failure):
    """There is no such thing here."""

    message = _("Not found.")


class Conflict(Failure):
    """The state of things does not allow it."""

    message = _("The current state does not allow this.")


class Limited(Failure):
    """Too many, too often or too much. `wait_seconds` is after what time it may be tried again, where that is known."""

    message = _("A limit has been reached.")
    wait_seconds: int | None = None


def code_of(name: str) -> str:
    """Return a class's name in snake_case: `RawCardNumber` is `raw_card_number`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def conflict_of(error: IntegrityError) -> str:
    """Return the name of the constraint that PostgreSQL says was broken, or '' when it names none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
