"""What Telegram remembers of one bot, and how it behaves towards it."""

import json
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

TOKEN = "42:a-token-of-nobody"
BOT = {"id": 42, "is_bot": True, "first_name": "Records", "username": "records_bot"}
SECONDS_MAX = 60
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same"
)


class Refusal(Exception):
    """What Telegram does not do."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.told: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        if parameters:
            self.told["parameters"] = parameters


@dataclass(frozen=True, slots=True)
class Sent:
    """One thing that the bot did."""

    method: str
    chat: int
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    picture: bytes = b""
    number: int = 0


@dataclass
class Telegram:
    """
    The people's side, and the bot's.

    Whoever is in `blocked` has blocked the bot; as many messages as `busy` says are too much at first.
    """

    sent: list[Sent] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)
    busy: int = 0
    refused: list[int] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    is_closed: bool = False
    numbers: Any = field(default_factory=lambda: count(1000))
    lock: threading.Condition = field(default_factory=threading.Condition)

    # People

    def says(self, who: int, text: str, *, language: str = "en") -> dict[str, Any]:
        """Somebody writes to the bot. Return the update."""
        message = self._message(who, text=text) | {"from": _person(who, language)}
        if text.startswith("/"):
            length = len(text.split(maxsplit=1)[0])
            message["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return self._add({"message": message})

    def presses(self, who: int, data: str, *, under: Sent, language: str = "en") -> dict[str, Any]:
        """Somebody presses a button below a message of the bot's. Return the update."""
        assert data in [each for _text, each in under.buttons]
        message = self._message(who, text=under.text) | {"message_id": under.number}
        told = {"id": str(next(self.numbers)), "from": _person(who, language), "chat_instance": "1"}
        return self._add({"callback_query": told | {"message": message, "data": data}})

    def repeat(self, update: dict[str, Any]) -> None:
        """Bring an update a second time, as happens when the bot's word that it has it was lost."""
        with self.lock:
            self.updates.append(update)
            self.lock.notify_all()

    def told(self, who: int) -> list[str]:
        """Return what somebody has read so far."""
        with self.lock:
            return [each.text for each in self.sent if each.chat == who]

    def wait_for(self, who: int, text: str, *, times: int = 1, seconds: float = SECONDS_MAX) -> Sent:
        """Wait until somebody was told something that contains a text, and return the last of that."""
        ends = time.monotonic() + seconds
        with self.lock:
            while len(found := [each for each in self.sent if each.chat == who and text in each.text]) < times:
                assert self.lock.wait(ends - time.monotonic()), f"Nobody said {text!r}, but {self.sent}"
        return found[-1]

    # The bot

    def answer(self, token: str, method: str, fields: dict[str, Any], files: dict[str, bytes]) -> Any:
        """
        Do what the bot asks for.

        :raises Refusal:
        """
        if token != TOKEN:
            raise Refusal(401, "Unauthorized")
        does = {
            "getme": lambda: BOT,
            "getupdates": lambda: self._get_updates(fields),
            "sendmessage": lambda: self._send(method, fields, files),
            "sendphoto": lambda: self._send(method, fields, files),
            "editmessagetext": lambda: self._send(method, fields, files),
            "answercallbackquery": lambda: self._answer_press(fields),
            "setmycommands": lambda: self._set_commands(fields),
        }.get(method.lower())
        if does is None:
            raise Refusal(404, "Not Found")
        return does()

    def close(self) -> None:
        """Let whoever waits go."""
        with self.lock:
            self.is_closed = True
            self.lock.notify_all()

    def _add(self, told: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            update = {"update_id": next(self.numbers)} | told
            self.updates.append(update)
            self.lock.notify_all()
        return update

    def _get_updates(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        ends = time.monotonic() + float(fields.get("timeout", 0))
        with self.lock:
            while not self.updates and not self.is_closed and (left := ends - time.monotonic()) > 0:
                self.lock.wait(left)
            # Each is given once; the offset of the next call has nothing left to confirm.
            given, self.updates = self.updates, []
        return given

    def _send(self, method: str, fields: dict[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
        chat = int(fields["chat_id"])
        with self.lock:
            self._refuse(chat)
            number = int(fields.get("message_id", 0)) or next(self.numbers)
            text = fields.get("text") or fields.get("caption", "")
            sent = Sent(method, chat, text, _buttons_of(fields), next(iter(files.values()), b""), number)
            if method == "editMessageText" and sent.text == self._shown(number):
                raise Refusal(400, NOT_MODIFIED)
            self.sent.append(sent)
            self.lock.notify_all()
        return self._message(chat, text=text) | {"message_id": number}

    def _refuse(self, chat: int) -> None:
        if chat in self.blocked:
            self.refused.append(403)
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if self.busy:
            self.busy -= 1
            self.refused.append(429)
            raise Refusal(429, "Too Many Requests: retry after 1", retry_after=1)

    def _shown(self, number: int) -> str:
        return next(each.text for each in reversed(self.sent) if each.number == number)

    def _answer_press(self, fields: dict[str, Any]) -> bool:
        self.answered.append(fields["callback_query_id"])
        return True

    def _set_commands(self, fields: dict[str, Any]) -> bool:
        self.commands = [each["command"] for each in json.loads(fields["commands"])]
        return True

    def _message(self, chat: int, *, text: str) -> dict[str, Any]:
        told = {"message_id": next(self.numbers), "date": int(time.time()), "text": text}
        return told | {"chat": {"id": chat, "type": "private", "first_name": f"Person {chat}"}}


def _person(who: int, language: str) -> dict[str, Any]:
    return {"id": who, "is_bot": False, "first_name": f"Person {who}", "language_code": language}


def _buttons_of(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the words on each button, and what it says to the bot or where it leads."""
    rows = json.loads(fields.get("reply_markup") or "{}").get("inline_keyboard", [])
    return tuple((each["text"], each.get("callback_data") or each["url"]) for row in rows for each in row)
