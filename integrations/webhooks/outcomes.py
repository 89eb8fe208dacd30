"""One attempt to send a message, outside of every transaction, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext_lazy as _

from core import outbound
from core.errors import type_of_text
from integrations.webhooks import signing

SECONDS_MAX: Final = 10.0
ANSWER_SIZE_BYTES_MAX: Final = 64 * 1024
GONE: Final = 410

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
    """What came of an attempt. `error` is one of ERRORS, or empty."""

    status: int | None = None
    answer: str = ""
    error: str = ""
    latency_ms: int | None = None

    @property
    def is_delivered(self) -> bool:
        """Tell whether the receiver has it."""
        return not self.error

    @property
    def is_gone(self) -> bool:
        """Tell whether the receiver wants to hear no more."""
        return self.status == GONE


def of_attempt(*, url: str, message_id: str, body: str, secrets: tuple[str, ...], at: datetime) -> Outcome:
    """Send a message, and return what came of it. `at` is real time: receivers refuse what is signed for another."""
    raw = body.encode()
    headers = signing.headers_of(message_id=message_id, body=raw, secrets=secrets, at=at)
    try:
        got = outbound.post(
            url=url,
            headers={"Content-Type": "application/json", **headers},
            body=raw,
            seconds_max=SECONDS_MAX,
            answer_size_bytes_max=ANSWER_SIZE_BYTES_MAX,
        )
    except outbound.Forbidden:
        return Outcome(error="forbidden")
    except outbound.NotSent:
        return Outcome(error="not_reached")
    except outbound.TooLate:
        return Outcome(error="too_late", latency_ms=int(SECONDS_MAX * 1000))
    except outbound.NoAnswer:
        return Outcome(error="no_answer")
    return Outcome(status=got.status, answer=got.body, error=_error_of(got.status), latency_ms=got.latency_ms)


def _error_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return REDIRECTED if 300 <= status < 400 else ANSWERED
