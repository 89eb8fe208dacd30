"""What Sarafan tells us: verified, kept, answered at once; and then told to the members."""

import asyncio
import logging
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import NextRequestMiddlewareType
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError, TelegramRetryAfter
from aiogram.methods import TelegramMethod
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from sarafan.store import Store
from sarafan.words import say

logger = logging.getLogger(__name__)
PATH = "/sarafan/webhooks"
PAUSE_SECONDS = 0.5
RETRIES_MAX = 3
TOLD = ("reward.granted", "reward.taken_back", "level.reached")
MERGED = "member.merged"


def application(*, store: Store, secret: str) -> web.Application:
    """Serve the address of the webhook."""
    verifier = Webhook(secret)

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            message = verifier.verify(body, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return web.Response(status=401)
        _put_away(store, message)
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post(PATH, receive)
    return app


def _put_away(store: Store, message: dict[str, Any]) -> None:
    """
    Keep what is to be told, and who somebody is by now.

    The same id is the same message; one older than what came of its object is ignored.
    """
    member, about = message["data"].get("member") or {}, message["object"]
    # A test of the webhook is no reward.
    if message.get("test"):
        return
    if message["type"] == MERGED:
        # Told as it is now: they may have gone further since.
        store.merge(away_id=message["data"]["away_id"], into_id=member["id"], external_id=member["external_id"])
        return
    found = store.find(member.get("external_id") or "")
    if found is None or message["type"] not in TOLD:
        return
    telegram, language = found
    store.note(
        message["id"],
        about=f"{about['type']}:{about['id']}",
        sequence=message["sequence"],
        telegram=telegram,
        text=_text_of(message, language),
    )


def _text_of(message: dict[str, Any], language: str) -> str:
    data = message["data"]
    # Of a gift one is given, and money is counted in its smallest units: a name says more than the number.
    is_named = message["type"] != "level.reached" and (data["kind"] != "points" or "given" not in data)
    return say(language, message["type"] + (".other" if is_named else ""), **data)


async def tell_forever(bot: Bot, store: Store) -> None:
    """Send what was put away, in its order. What Telegram does not take now is sent later."""
    while True:
        for note_id, telegram, text in store.notes():
            try:
                await bot.send_message(telegram, text)
            except (TelegramForbiddenError, TelegramBadRequest) as error:
                logger.info("Somebody does not want to hear: %s", error)
            except TelegramAPIError as error:
                logger.warning("A note waits: %s", error)
                break
            store.strike(note_id)
        await asyncio.sleep(PAUSE_SECONDS)


async def patient(make_request: NextRequestMiddlewareType[Any], bot: Bot, method: TelegramMethod[Any]) -> Any:
    """Wait as long as Telegram says when it is too much for it (429)."""
    for _time in range(RETRIES_MAX):
        try:
            return await make_request(bot, method)
        except TelegramRetryAfter as busy:
            await asyncio.sleep(busy.retry_after)
    return await make_request(bot, method)
