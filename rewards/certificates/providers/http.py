"""
An asynchronous REST partner, in the shape of Giftery's B2B interface.

An order gets a number of a queue, its state is asked for by that number, and once it is ready its code is fetched.

Addresses, names of fields and words differ from partner to partner: `Provider.settings` says where they differ from
DEFAULTS below. A name of a field may be a path, "data.queue_id".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from core import money, outbound
from rewards.certificates.providers import (
    Accepted,
    Answer,
    Connection,
    Done,
    NoSuchOrder,
    Reason,
    Refused,
    Unknown,
    Wish,
)

DEFAULTS: Final[Mapping[str, Any]] = {
    "paths": {
        "order": "/orders",
        "status": "/orders/{order}",
        "status_by_key": "/orders/by-key/{key}",
        "code": "/orders/{order}/code",
        "cancel": "/orders/{order}/cancellation",
        "balance": "/balance",
    },
    "auth_header": "Authorization",
    "auth_prefix": "Bearer ",
    "key_header": "Idempotency-Key",
    # major: 500.00, minor: 50000.
    "amounts": "major",
    # What we send.
    "sends": {"key": "uuid", "product": "product_id", "value": "face", "currency": "currency"},
    # What we read.
    "reads": {
        "order": "queue_id",
        "state": "status",
        "code": "code",
        "pin": "pin",
        "pdf_url": "pdf_url",
        "valid_until": "expires",
        "reason": "error",
        "said": "message",
        "balance": "balance",
    },
    # Their words for the states of an order.
    "states": {
        "new": "accepted",
        "queued": "accepted",
        "processing": "accepted",
        "ready": "done",
        "done": "done",
        "failed": "refused",
        "cancelled": "refused",
    },
    # Their words for why not.
    "reasons": {
        "insufficient_funds": "no_funds",
        "product_inactive": "off",
        "limit_exceeded": "limit",
        "order_not_found": "no_such_order",
    },
}
SAID_LENGTH_MAX: Final = 200
CODE_LENGTH_MAX: Final = 500
ORDER_LENGTH_MAX: Final = 100
NO_SUCH_ORDER: Final = "no_such_order"
OK_FROM, OK_TO = 200, 300
# They do not say that nothing was done.
UNDECIDED: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})
BY_STATUS: Final[Mapping[int, Reason]] = {
    HTTPStatus.UNAUTHORIZED: Reason.DENIED,
    HTTPStatus.FORBIDDEN: Reason.DENIED,
    HTTPStatus.PAYMENT_REQUIRED: Reason.NO_FUNDS,
    HTTPStatus.NOT_FOUND: Reason.OFF,
    HTTPStatus.TOO_MANY_REQUESTS: Reason.LIMIT,
}


class Adapter:
    """See `rewards.certificates.providers.Adapter`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        own = connection.settings
        self.said: dict[str, Any] = {
            name: {**value, **own.get(name, {})} if isinstance(value, Mapping) else own.get(name, value)
            for name, value in DEFAULTS.items()
        }

    def order(self, wish: Wish) -> Accepted | Done | Refused:
        names = self.said["sends"]
        body = {
            names["key"]: wish.key,
            names["product"]: wish.product,
            names["value"]: self._amount(wish),
            names["currency"]: wish.currency,
        }
        try:
            answer = self._call("POST", "order", json=body, key=wish.key)
        except outbound.NotSent as error:
            return Refused(reason=Reason.UNREACHABLE, said=str(error))
        if OK_FROM <= answer.status < OK_TO:
            found = self._state_of(answer)
            if isinstance(found, NoSuchOrder):
                raise Unknown("It has just been ordered.")
            return found
        return self._refusal_of(answer)

    def status(self, *, key: str, order: str) -> Answer:
        try:
            answer = self._call("GET", "status" if order else "status_by_key", order=order, key=key)
        except outbound.NotSent as error:
            raise Unknown(str(error)) from error
        if self._reason_of(answer) == NO_SUCH_ORDER:
            # Their word for it: a bare 404 may come from anything on the way.
            return NoSuchOrder()
        if not OK_FROM <= answer.status < OK_TO:
            raise Unknown(f"status {answer.status}")
        return self._state_of(answer, order=order)

    def code(self, *, order: str) -> Accepted | Done:
        try:
            answer = self._call("GET", "code", order=order)
        except outbound.NotSent as error:
            raise Unknown(str(error)) from error
        code = self._text(answer, "code", CODE_LENGTH_MAX)
        if not OK_FROM <= answer.status < OK_TO or not code:
            return Accepted(order=order)
        pdf_url = self._text(answer, "pdf_url", CODE_LENGTH_MAX)
        return Done(
            code=code,
            order=order,
            pin=self._text(answer, "pin", CODE_LENGTH_MAX),
            pdf_url=pdf_url if pdf_url.startswith("https://") else "",
            valid_until=_instant(self._read(answer, "valid_until")),
        )

    def cancel(self, *, order: str) -> bool:
        try:
            answer = self._call("POST", "cancel", order=order, json={})
        except outbound.NotSent as error:
            raise Unknown(str(error)) from error
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in UNDECIDED - {HTTPStatus.CONFLICT}:
            raise Unknown(f"status {answer.status}")
        return OK_FROM <= answer.status < OK_TO

    def balance(self) -> int:
        try:
            answer = self._call("GET", "balance")
            if not OK_FROM <= answer.status < OK_TO:
                raise Unknown(f"status {answer.status}")
            given = Decimal(str(self._read(answer, "balance")))
            return int(given if self.said["amounts"] == "minor" else given.scaleb(2))
        except (outbound.NotSent, InvalidOperation, ValueError, OverflowError) as error:
            raise Unknown(type(error).__name__) from error

    # Within

    def _call(
        self, method: str, path: str, *, order: str = "", key: str = "", json: Mapping[str, Any] | None = None
    ) -> outbound.Answer:
        route = self.said["paths"][path].format(order=quote(order, safe=""), key=quote(key, safe=""))
        # Always below the address that the secret was given for: "@elsewhere" would make another host of it.
        url = f"{self.connection.url.rstrip('/')}/{route.lstrip('/')}"
        headers = {self.said["auth_header"]: f"{self.said['auth_prefix']}{self.connection.secret}"}
        if key and json is not None:
            headers[self.said["key_header"]] = key
        try:
            return outbound.call(method=method, url=url, headers=headers, json=json)
        except outbound.NoAnswer as error:
            raise Unknown(str(error)) from error

    def _state_of(self, answer: outbound.Answer, *, order: str = "") -> Answer:
        number = self._text(answer, "order", ORDER_LENGTH_MAX) or order
        state = self.said["states"].get(str(self._read(answer, "state")))
        code = self._text(answer, "code", CODE_LENGTH_MAX)
        if state == "refused":
            return Refused(reason=self._known_reason(answer), said=self._text(answer, "said", SAID_LENGTH_MAX))
        if state == "done":
            return Done(code=code, order=number) if code else self.code(order=number)
        if state == "accepted" and number:
            return Accepted(order=number)
        raise Unknown("The answer has no state or no number.")

    def _refusal_of(self, answer: outbound.Answer) -> Refused:
        if answer.status in UNDECIDED or not HTTPStatus.BAD_REQUEST <= answer.status < 500:
            raise Unknown(f"status {answer.status}")
        return Refused(reason=self._known_reason(answer), said=self._text(answer, "said", SAID_LENGTH_MAX))

    def _known_reason(self, answer: outbound.Answer) -> Reason:
        known = self._reason_of(answer)
        if known in set(Reason):
            return Reason(known)
        return BY_STATUS.get(answer.status, Reason.REFUSED)

    def _reason_of(self, answer: outbound.Answer) -> str:
        return str(self.said["reasons"].get(str(self._read(answer, "reason")), ""))

    def _read(self, answer: outbound.Answer, name: str) -> Any:
        value = answer.body
        for step in str(self.said["reads"][name]).split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def _text(self, answer: outbound.Answer, name: str, length_max: int) -> str:
        value = self._read(answer, name)
        return str(value)[:length_max] if isinstance(value, str | int) else ""

    def _amount(self, wish: Wish) -> int | str:
        if self.said["amounts"] == "minor":
            return wish.value_minor
        return str(money.to_major(wish.value_minor, wish.currency))


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
