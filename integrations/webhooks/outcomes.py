"""One attempt to send a message, outside of every transaction, and what came of it."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core import outbound
from core.errors import type_of_text
from integrations.webhooks import schedule, signing

SECONDS_MAX: Final = 10.0
# What is kept of an answer: of one that says what went wrong more than of one that says thank you.
FAILURE_SIZE_BYTES_MAX: Final = 64 * 1024
SUCCESS_SIZE_BYTES_MAX: Final = 1024
GONE: Final = 410
# These may say after what time to come again.
BUSY: Final = frozenset({429, 503})

# Beside the headers of the specification; it is not signed.
ATTEMPT: Final = "webhook-attempt"

# What went wrong, as a code for programs, and for people.
ANSWERED: Final = "answered"
REDIRECTED: Final = "redirected"
ERRORS: Final[Mapping[str, type_of_text]] = {
    "forbidden": _("The address is not on the open internet."),
    "not_reached": _("Nobody was reached."),
    "too_late": _("There was no answer within 10 seconds."),
    "no_answer": _("What came back was no answer."),
    REDIRECTED: _("It was redirected, which is not followed: give the webhook the new address."),
    ANSWERED: _("The answer was not a status from 200 to 299."),
}


class Outcome(NamedTuple):
    """What came of an attempt. `error` is one of ERRORS, or empty; `wait` is what the receiver asked for."""

    status: int | None = None
    answer: str = ""
    error: str = ""
    latency_ms: int | None = None
    wait: timedelta = timedelta()

    @property
    def is_delivered(self) -> bool:
        """Tell whether the receiver has it."""
        return not self.error

    @property
    def is_gone(self) -> bool:
        """Tell whether the receiver wants to hear no more."""
        return self.status == GONE


def of_attempt(
    *, url: str, message_id: str, body: str, secrets: tuple[str, ...], attempt: int, at: datetime
) -> Outcome:
    """
    Send a message for the `attempt`th time, and return what came of it.

    `at` is real time: receivers refuse what is signed for another.
    """
    raw = body.encode()
    headers = signing.headers_of(message_id=message_id, body=raw, secrets=secrets, at=at)
    began = time.monotonic()
    try:
        got = outbound.post(
            url=url,
            headers={"Content-Type": "application/json", ATTEMPT: str(attempt), **headers},
            body=raw,
            seconds_max=SECONDS_MAX,
            answer_size_bytes_max=_kept_of,
        )
    except (outbound.NotSent, outbound.NoAnswer) as error:
        return Outcome(error=_error_without_answer(error), latency_ms=int((time.monotonic() - began) * 1000))
    return Outcome(
        status=got.status,
        answer=got.body,
        error=_error_of(got.status),
        latency_ms=got.latency_ms,
        wait=schedule.wait_of(got.retry_after, at=at) if got.status in BUSY else timedelta(),
    )


def _kept_of(status: int) -> int:
    return FAILURE_SIZE_BYTES_MAX if _error_of(status) else SUCCESS_SIZE_BYTES_MAX


def _error_without_answer(error: outbound.NotSent | outbound.NoAnswer) -> str:
    match error:
        case outbound.Forbidden():
            return "forbidden"
        case outbound.NotSent():
            return "not_reached"
        case outbound.TooLate():
            return "too_late"
    return "no_answer"


def _error_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return REDIRECTED if 300 <= status < 400 else ANSWERED
