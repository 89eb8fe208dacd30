"""
Somebody else's bot, in `examples/telegram_bot/`, at a real Sarafan: its server, its worker, its webhooks.

Telegram is played by `tests/botapi/`; the bot speaks to it as it would to the real one.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from events.models import Event
from members import people
from members.models import Member
from referrals.models import Referral
from rewards import ledger
from tenants import keys
from tests.botapi import bots
from tests.botapi.bots import Bot, Place
from tests.botapi.telegram import Telegram
from tests.cast import Shop, make_campaign
from tests.checkout import ROOT
from tests.serving import Server, environment, served, wait_until

ANNA, BORIS, CLARA, DINA, EMIL = 701, 702, 703, 704, 705
MENU = "Invite friends, and both of you are rewarded."
WELCOME = "Welcome! You came by a friend's invitation."
LATER = "Our rewards take a short break. What you did is kept and will count; nothing needs to be repeated."
HELLO = "Hello! I sell records."
SCOPES = ("events:write", "members:read", "members:write", "public:read")


# Without Sarafan


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Telegram, Place]]:
    """Give the Telegram of a bot whose Sarafan is away. Each test has people of its own."""
    place = Place(port=bots.free_port(), store=tmp_path_factory.mktemp("alone") / "bot.sqlite3")
    url = f"http://127.0.0.1:{bots.free_port()}/api/v1"
    with bots.running(place, url=url, key="sk_live_of_nobody", secret="whsec_AAAA") as bot:
        yield bot.telegram, place


def test_what_the_bot_did_before_it_goes_on_doing(alone):
    telegram, place = alone

    for text in ("/help", "/order", "hello", "/start promo_123", "/start summer", "/start ref-K7Q2M9TX4WB"):
        telegram.says(ANNA, text)
    wait_until(lambda: len(telegram.told(ANNA)) == 6)

    # It answers all of them at once, in any order.
    assert sorted(telegram.told(ANNA)) == sorted(
        ["/order buys a record.", "Which record?", "You said: hello", "A discount for you: 123", HELLO, HELLO]
    )
    assert telegram.commands == ["order", "friends"]
    assert place.reported(ANNA) == []


def test_what_comes_while_sarafan_is_away_is_answered_and_kept(alone):
    telegram, place = alone

    update = telegram.says(BORIS, "/start r_ANNA")
    telegram.wait_for(BORIS, LATER)
    telegram.presses(BORIS, "sarafan:balance", under=telegram.wait_for(BORIS, MENU))
    telegram.wait_for(BORIS, LATER, times=2)

    assert telegram.told(BORIS) == [WELCOME, MENU, LATER, LATER]
    assert place.reported(BORIS) == [(f"tg-42-{update['update_id']}", "waiting")]


def test_whoever_presses_start_is_kept_and_is_greeted_by_the_bot_as_ever(alone):
    telegram, place = alone

    for _time in range(2):
        telegram.says(EMIL, "/start")
    telegram.wait_for(EMIL, HELLO, times=2)

    assert telegram.told(EMIL) == [HELLO, HELLO]
    assert len(place.reported(EMIL)) == 1


def test_an_update_that_comes_twice_is_dealt_with_once(alone):
    telegram, place = alone
    update = telegram.says(CLARA, "/start r_ANNA", language="ru")
    telegram.wait_for(CLARA, "засчитаем")
    before = telegram.told(CLARA)

    telegram.repeat(update)
    for text in ("first", "second"):
        telegram.says(CLARA, text)
        telegram.wait_for(CLARA, text)

    assert telegram.told(CLARA) == [*before, "You said: first", "You said: second"]
    assert len(place.reported(CLARA)) == 1


def test_a_telegram_that_is_too_busy_is_given_the_time_that_it_asks_for(alone):
    telegram, _place = alone
    telegram.busy = 2

    telegram.says(DINA, "/help")
    telegram.wait_for(DINA, "/order buys a record.")

    assert telegram.refused == [429, 429]
    assert telegram.told(DINA) == ["/order buys a record."]


# With Sarafan


@dataclass
class World:
    """All that takes part."""

    server: Server
    bot: Bot
    secret: str
    shop_key: str

    @property
    def telegram(self) -> Telegram:
        return self.bot.telegram

    def buys(self, who: int, order: str) -> None:
        """Somebody pays an order in the shop, which reports it."""
        data = {"order_id": order, "amount_minor": 50_000, "currency": "RUB"}
        body = {"key": order, "kind": "order.paid", "member": {"telegram": who}, "data": data}
        assert ask(self.server, self.shop_key, "events", body)["status"] == "waiting"

    def merges(self, *, into: str, away: str) -> None:
        """Say, as the shop, that two members are one person."""
        ask(
            self.server, self.shop_key, "members/merges", {"into": {"external_id": into}, "away": {"external_id": away}}
        )

    def is_member(self, who: int) -> bool:
        """Say whether the bot has reported somebody, and knows it."""
        return [state for _key, state in self.bot.place.reported(who)] == ["sent"]

    def hears(self, message_id: str, kind: str, sequence: int, *, about: int = 9, **more: Any) -> int:
        """Bring the bot a webhook, signed as ours are, and return the status of its answer."""
        message = {
            "id": message_id,
            "type": kind,
            "sequence": sequence,
            "object": {"type": "reward", "id": about},
            "data": {"kind": "points", "what": "", "given": 100, "member": {"id": 1, "external_id": f"tg-{ANNA}"}},
            **more,
        }
        body, at = json.dumps(message), datetime.now(UTC)
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, at, body),
        }
        return requests.post(self.bot.place.webhook_url, body, headers=headers, timeout=10).status_code


def ask(server: Server, key: str, path: str, body: Any) -> Any:
    told = server.ask("POST", f"/api/v1/{path}", body=body, host="localhost", Authorization=f"Bearer {key}")
    assert 200 <= told.status < 300, told
    return told.json()


@pytest.fixture
def world(acme, tmp_path: Path) -> Iterator[World]:
    """Give a bot at a Sarafan that serves; whether anything is scored is up to the test."""
    place, now = Place(port=bots.free_port(), store=tmp_path / "bot.sqlite3"), timezone.now()
    make_campaign(at=now, budget_points=1000)
    _row, key = keys.issue(tenant=acme, environment="live", name="bot", scopes=SCOPES, at=now)
    of_shop = ("events:write", "members:write", "webhooks:write")
    _row, shop_key = keys.issue(tenant=acme, environment="live", name="shop", scopes=of_shop, at=now)
    with served() as server:
        secret = ask(server, shop_key, "webhooks", {"url": place.webhook_url})["secret"]
        with bots.running(place, url=f"http://localhost:{server.port}/api/v1", key=key, secret=secret) as bot:
            yield World(server, bot, secret, shop_key)


@pytest.fixture
def worker(world: World, tmp_path: Path) -> Iterator[None]:
    """Score, and deliver webhooks, in one process: with the clock, in case that somebody else takes our bells."""
    command = [sys.executable, "-m", "celery", "--app", "config.celery", "--quiet", "worker", "--beat"]
    command += ["--schedule", str(tmp_path / "beat"), "--queues", "celery,webhooks", "--pool", "threads"]
    command += [
        "--concurrency",
        "2",
        "--without-gossip",
        "--without-mingle",
        "--hostname",
        f"{world.bot.place.port}@%h",
    ]
    with subprocess.Popen(command, env=environment(), cwd=ROOT) as started:  # noqa: S603 (our own worker)
        family = psutil.Process(started.pid)
        yield
        # The clock is a process of its own, which would go on.
        for process in [*family.children(recursive=True), family]:
            process.kill()


@pytest.mark.django_db(transaction=True)
def test_a_friend_comes_by_the_link_and_buys_and_the_inviter_is_told(world, worker):
    telegram = world.telegram
    telegram.says(ANNA, "/start", language="ru")
    link = _link_of(telegram, ANNA, site=f"http://acme.localhost:{world.server.port}")

    telegram.says(BORIS, f"/start {link}")
    telegram.wait_for(BORIS, MENU)
    wait_until(Referral.objects.exists)
    world.buys(BORIS, "order-1")
    telegram.wait_for(ANNA, "Вам начислено баллов: 100.")

    referral = Referral.objects.get()
    assert (referral.inviter_id, referral.channel) == (people.get_by_external_id(f"tg-{ANNA}").pk, "telegram")
    assert telegram.told(BORIS) == [WELCOME, MENU]
    assert _pages_of(telegram, ANNA) == {
        "balance": "Баллы: 100.\nСкоро придут: 0. На проверке: 0.",
        "friends": "Друзей пришло: 1. Принесли вам награду: 1.",
    }
    rules = _page_of(telegram, ANNA, "rules", "Bring a friend").text
    assert "100" in rules
    # The budget is nobody's business.
    assert "000" not in rules
    assert "+100" in _page_of(telegram, ANNA, "why", "+100").text
    assert [state for _key, state in world.bot.place.reported(BORIS)] == ["sent"]
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_whoever_turns_out_to_be_a_customer_of_the_shop_goes_on_being_told(world, worker):
    telegram = world.telegram
    telegram.says(ANNA, "/start", language="ru")
    code = _link_of(telegram, ANNA, site=f"http://acme.localhost:{world.server.port}")
    ask(world.server, world.shop_key, "members", {"external_id": "anna"})
    world.merges(into="anna", away=f"tg-{ANNA}")
    wait_until(lambda: world.bot.place.known_as(ANNA) == "anna")

    telegram.says(BORIS, f"/start {code}")
    wait_until(Referral.objects.exists)
    world.buys(BORIS, "order-1")

    telegram.wait_for(ANNA, "Вам начислено баллов: 100.")
    assert _pages_of(telegram, ANNA)["balance"] == "Баллы: 100.\nСкоро придут: 0. На проверке: 0."
    assert Referral.objects.get().inviter_id == people.get_by_external_id("anna").pk
    assert ledger.verify() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_accounts_of_one_person_the_last_that_asked_is_told(world, worker):
    telegram, place = world.telegram, world.bot.place
    telegram.says(ANNA, "/start")
    telegram.says(CLARA, "/start")
    wait_until(lambda: world.is_member(ANNA) and world.is_member(CLARA))
    world.merges(into=f"tg-{ANNA}", away=f"tg-{CLARA}")
    wait_until(lambda: place.known_as(CLARA) is None)
    world.hears("msg_1", "reward.granted", 1, about=1)
    telegram.wait_for(ANNA, "You were given 100 points.")

    telegram.says(CLARA, "/friends")
    telegram.presses(CLARA, "sarafan:balance", under=telegram.wait_for(CLARA, MENU))
    telegram.wait_for(CLARA, "You have 0 points.")
    world.hears("msg_2", "reward.granted", 1, about=2)
    telegram.wait_for(CLARA, "You were given 100 points.")

    assert (place.known_as(ANNA), place.known_as(CLARA)) == (None, f"tg-{ANNA}")
    assert telegram.told(ANNA) == [HELLO, "You were given 100 points."]


def _link_of(telegram: Telegram, who: int, *, site: str) -> str:
    """Press the button below the bot's own greeting, and return what the link that is shown leads to /start with."""
    telegram.presses(who, "sarafan:link", under=telegram.wait_for(who, HELLO), language="ru")
    shown = telegram.wait_for(who, "Ваша ссылка для друзей")
    found = re.search(r"https://t\.me/records_bot\?start=(r_\w+)\n.*?: (\S+)\n.*?: (\w+)$", shown.text)
    assert found
    assert found[1] == f"r_{found[3]}"
    assert found[2] == f"{site}/r/{found[3]}?ch=telegram"
    assert (shown.method, shown.picture[:8]) == ("sendPhoto", b"\x89PNG\r\n\x1a\n")
    assert [text for text, _leads_to in shown.buttons] == ["Поделиться"]
    return found[1]


def _page_of(telegram: Telegram, who: int, section: str, text: str) -> Any:
    telegram.says(who, "/friends", language="ru")
    menu = telegram.wait_for(who, "Приглашайте друзей")
    telegram.presses(who, f"sarafan:{section}", under=menu, language="ru")
    return telegram.wait_for(who, text)


def _pages_of(telegram: Telegram, who: int) -> dict[str, str]:
    looked_for = {"balance": "Баллы", "friends": "Друзей"}
    return {section: _page_of(telegram, who, section, text).text for section, text in looked_for.items()}


@pytest.mark.django_db(transaction=True)
def test_whoever_comes_while_sarafan_hangs_is_a_member_once_it_answers_even_if_the_bot_is_killed_meanwhile(world):
    for process in world.server.workers():
        process.suspend()
    # It has the bot's request, and does not answer: the bot sends it again, and both are read later.
    update = world.telegram.says(BORIS, "/start r_NOBODY22")
    world.telegram.wait_for(BORIS, LATER)
    world.bot.kill()
    for process in world.server.workers():
        process.resume()
    world.bot.start()
    wait_until(lambda: world.is_member(BORIS))
    Shop(at=timezone.now()).handle()

    event = Event.objects.get(kind="member.joined")
    assert (event.key, event.data["code"]) == (f"tg-42-{update['update_id']}", "NOBODY22")
    assert (event.status, Member.objects.count()) == ("handled", 1)
    assert people.get_by_external_id(f"tg-{BORIS}").pk == event.member_id


@pytest.mark.django_db(transaction=True)
def test_a_webhook_is_told_once_in_its_order_and_only_if_it_is_ours(world):
    telegram = world.telegram
    telegram.says(ANNA, "/start")
    wait_until(lambda: world.is_member(ANNA))

    forged = requests.post(world.bot.place.webhook_url, "{}", headers={"webhook-id": "msg_0"}, timeout=10).status_code
    taken = [
        world.hears("msg_1", "reward.granted", 5),
        world.hears("msg_1", "reward.granted", 5),
        world.hears("msg_3", "reward.taken_back", 7),
        world.hears("msg_2", "reward.granted", 6),
        world.hears("msg_4", "reward.granted", 8, test=True),
        world.hears("msg_5", "something.new", 9),
        world.hears("msg_6", "reward.granted", 10, data={"member": {"id": 7, "external_id": "nobody"}}),
        world.hears("msg_7", "level.reached", 11, about=1, data={"code": "gold", "member": {"external_id": "tg-701"}}),
    ]
    telegram.wait_for(ANNA, "gold")

    assert (forged, taken) == (401, [204] * 8)
    assert telegram.told(ANNA) == [
        HELLO,
        "You were given 100 points.",
        "100 points were taken back: an order was returned.",
        "You have reached the level “gold”.",
    ]


@pytest.mark.django_db(transaction=True)
def test_whoever_has_blocked_the_bot_keeps_nobody_waiting(world):
    telegram = world.telegram
    telegram.says(ANNA, "/start")
    telegram.says(CLARA, "/start")
    wait_until(lambda: world.is_member(ANNA) and world.is_member(CLARA))
    telegram.blocked.add(ANNA)

    world.hears("msg_1", "reward.granted", 1)
    of_clara = {"kind": "points", "what": "", "given": 7, "member": {"id": 2, "external_id": f"tg-{CLARA}"}}
    world.hears("msg_2", "reward.granted", 2, about=2, data=of_clara)
    telegram.wait_for(CLARA, "You were given 7 points.")

    assert telegram.refused == [403]
    assert telegram.told(ANNA) == [HELLO]
