"""
Telegram at a terminal, to try a bot by hand: `python -m tests.botapi 8081`.

Write `701 /start` to say something as the person 701, `701 !sarafan:why` to press a button under the last message.
"""

import sys
import threading
import time
from itertools import count

from tests.botapi.stand_in import StandIn
from tests.botapi.telegram import TOKEN, Sent, Telegram

USAGE = "Write a person's number and what they say, or ! and a button: 701 /start, or 701 !sarafan:link."


def main() -> None:
    with StandIn(int(sys.argv[1]) if len(sys.argv) > 1 else 8081) as running:
        # Never those of the last time: a bot that remembers its updates would take these for the same.
        running.telegram.numbers = count(int(time.time()))
        _tell(f"BOT_API_URL={running.url} BOT_TOKEN={TOKEN}\n{USAGE}")
        threading.Thread(target=_show, args=[running.telegram], daemon=True).start()
        for line in sys.stdin:
            who, _blank, text = line.strip().partition(" ")
            if who.isdigit() and text:
                _act(running.telegram, int(who), text)
            elif line.strip():
                _tell(USAGE)


def _act(telegram: Telegram, who: int, text: str) -> None:
    if not text.startswith("!"):
        telegram.says(who, text)
        return
    seen = [each for each in telegram.sent if each.chat == who]
    under = [each for each in seen if text[1:] in dict(each.buttons).values()]
    if under:
        telegram.presses(who, text[1:], under=under[-1])
    else:
        known = sorted({f"!{to}" for each in seen for _text, to in each.buttons if not to.startswith("http")})
        _tell(f"{who} sees no such button, but {', '.join(known) or 'none at all'}.")


def _show(telegram: Telegram) -> None:
    for number in count():
        with telegram.lock:
            while len(telegram.sent) <= number:
                telegram.lock.wait()
            each = telegram.sent[number]
        _tell(_shown(each))


def _shown(sent: Sent) -> str:
    what = " [a picture]" if sent.picture else " [changed]" if sent.method.lower() == "editmessagetext" else ""
    buttons = [f"  [{text}: {to if to.startswith('http') else '!' + to}]" for text, to in sent.buttons]
    return "\n".join([f"→ {sent.chat}:{what} {sent.text}", *buttons])


def _tell(text: str) -> None:
    # At once, wherever it goes.
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
