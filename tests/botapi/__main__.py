"""
Telegram at a terminal, to try a bot by hand: `python -m tests.botapi 8081`.

Write `701 /start` to say something as the person 701, `701 !sarafan:why` to press a button under the last message.
"""

import sys
import threading
from itertools import count

from tests.botapi.stand_in import StandIn
from tests.botapi.telegram import TOKEN, Telegram


def main() -> None:
    with StandIn(int(sys.argv[1]) if len(sys.argv) > 1 else 8081) as running:
        print(f"BOT_API_URL={running.url} BOT_TOKEN={TOKEN}")  # noqa: T201
        threading.Thread(target=_show, args=[running.telegram], daemon=True).start()
        for line in sys.stdin:
            who, _blank, text = line.strip().partition(" ")
            if who.isdigit() and text:
                _act(running.telegram, int(who), text)


def _act(telegram: Telegram, who: int, text: str) -> None:
    if not text.startswith("!"):
        telegram.says(who, text)
        return
    under = [each for each in telegram.sent if each.chat == who and text[1:] in dict(each.buttons).values()]
    if under:
        telegram.presses(who, text[1:], under=under[-1])


def _show(telegram: Telegram) -> None:
    for number in count():
        with telegram.lock:
            while len(telegram.sent) <= number:
                telegram.lock.wait()
            each = telegram.sent[number]
        buttons = [f"  [{text}: {data}]" for text, data in each.buttons]
        print("\n".join([f"→ {each.chat}: {each.text}", *buttons]))  # noqa: T201


if __name__ == "__main__":
    main()
