"""What members see: `/start` with a friend's code, and `/friends` with its menu."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from aiogram import Bot, F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    Update,
    User,
)

from sarafan.api import Away, Refused
from sarafan.members import Members
from sarafan.store import Store
from sarafan.words import language_of, say

logger = logging.getLogger(__name__)
COMMANDS = [BotCommand(command="friends", description="Invite friends, see your points")]
# Drawn codes look like this. One that a member chose, such as ANNA, could be a word of yours, and needs its "r_".
OURS = F.args.regexp(r"^(r_[0-9A-Za-z]{4,16}|[2-9A-HJKMNP-TV-Z]{11})$")
SECTIONS = ("link", "balance", "friends", "rules", "why")
# As `lang` of the API writes them.
API_LANGUAGES = {"zh": "zh-hans"}
LINES_MAX = 5


def make_router(*, members: Members, store: Store) -> Router:
    """Make a router that takes what is its own, each update once, and lets everything else pass to yours."""
    router, menu = Router(name="sarafan"), Menu(members, store)
    router.message.filter(F.chat.type == "private")
    for observer in (router.message, router.callback_query):
        observer.middleware(menu.once)
    router.message.register(menu.invited, CommandStart(deep_link=True, magic=OURS))
    router.message.register(menu.listen, CommandStart(magic=~F.args))
    router.message.register(menu.opened, Command("friends"))
    router.callback_query.register(menu.pressed, F.data.startswith("sarafan:"))
    return router


class Menu:
    """The handlers."""

    def __init__(self, members: Members, store: Store) -> None:
        self.members, self.api, self.store = members, members.api, store

    async def once(self, handler: Callable[..., Awaitable[Any]], event: Any, data: dict[str, Any]) -> Any:
        """Telegram may send an update twice: the second time it is taken, and nothing is done."""
        update = f"update:{data['event_update'].update_id}"
        if not self.store.take(update):
            return None
        self.store.remember(event.from_user.id, language=language_of(event.from_user))
        try:
            return await handler(event, data)
        except BaseException:
            self.store.let_go(update)
            raise

    async def listen(self, message: Message, event_update: Update, bot: Bot) -> None:
        """Take note of whoever presses Start, and leave the answer to the bot that this is a part of."""
        self._join_once(user_of(message), event_update, bot)
        raise SkipHandler

    async def invited(self, message: Message, command: CommandObject, event_update: Update, bot: Bot) -> None:
        code = (command.args or "").removeprefix("r_")
        self._join(user_of(message), event_update, bot, code=code)
        await message.answer(say(language_of(user_of(message)), "welcome"))
        await self.opened(message, event_update, bot)

    async def opened(self, message: Message, event_update: Update, bot: Bot) -> None:
        language = language_of(user_of(message))
        self._join_once(user_of(message), event_update, bot)
        await message.answer(say(language, "menu"), reply_markup=keyboard(language))
        try:
            await self.members.report()
        except Away:
            await message.answer(say(language, "later"))

    async def pressed(self, query: CallbackQuery, event_update: Update, bot: Bot) -> None:
        """Answer at once, or the button goes on turning; then show what was asked for."""
        await query.answer()
        user, section = query.from_user, (query.data or "").partition(":")[2]
        self._join_once(user, event_update, bot)
        try:
            external_id = await self.members.external_id_of(user.id)
            if section == "link":
                await self._send_link(bot, user, external_id)
            elif section in SECTIONS:
                await self._show(query, await self._text_of(section, external_id, language_of(user)))
        except Away:
            await self._show(query, say(language_of(user), "later"))
        except Refused as refusal:
            if refusal.status == 404:
                self.store.forget(user.id)
                await self._show(query, say(language_of(user), "unknown"))
            else:
                logger.exception("Sarafan does not show %s.", section)
                await self._show(query, say(language_of(user), "later"))

    def _join_once(self, user: User, update: Update, bot: Bot) -> None:
        """Join somebody who may have used the bot for years, or have come by a link of its own."""
        if not self.store.is_joined(user.id):
            self._join(user, update, bot)

    def _join(self, user: User, update: Update, bot: Bot, *, code: str = "") -> None:
        at = update.message.date if update.message else datetime.now(UTC)
        self.members.join(user, key=f"tg-{bot.id}-{update.update_id}", at=at, code=code)

    async def _show(self, query: CallbackQuery, text: str) -> None:
        language = language_of(query.from_user)
        if isinstance(query.message, Message):
            # Pressed twice: there is nothing to change, and Telegram says so.
            with suppress(TelegramBadRequest):
                await query.message.edit_text(text, reply_markup=keyboard(language))

    async def _send_link(self, bot: Bot, user: User, external_id: str) -> None:
        language = language_of(user)
        shared = await self.api.of(external_id, "/link", channel="telegram")
        picture = await self.api.of(external_id, "/qr", format="png", channel="telegram")
        bot_link = f"https://t.me/{(await bot.me()).username}?start=r_{shared['code']}"
        share = f"https://t.me/share/url?{urlencode({'url': bot_link, 'text': say(language, 'share_text')})}"
        await bot.send_photo(
            user.id,
            BufferedInputFile(picture, "invitation.png"),
            caption=say(language, "your_link", bot_link=bot_link, link=shared["url"], code=shared["code"]),
            reply_markup=rows([InlineKeyboardButton(text=say(language, "share"), url=share)]),
        )

    async def _text_of(self, section: str, external_id: str, language: str) -> str:
        if section == "rules":
            offers = (await self.api.get("/campaigns", status="active"))["data"]
            told = ["\n".join((each["name"], *each["sentences"])) for each in offers if not each["is_builtin"]]
            return "\n\n".join(told) or say(language, "no_rules")
        if section == "why":
            lang = API_LANGUAGES.get(language, language)
            events = (await self.api.of(external_id, "/explanations", lang=lang))["data"]
            return "\n\n".join(each["text"] for each in events[:LINES_MAX]) or say(language, "no_why")
        member = await self.api.of(external_id)
        if section == "friends":
            return say(language, "your_friends", **member["referrals"])
        points = member["balances"].get("points", {"available": 0, "pending": 0, "promised": 0, "flagged": 0})
        return say(language, "your_balance", **points, coming=points["pending"] + points["promised"])


def user_of(message: Message) -> User:
    """Return who wrote: in a private chat it is always somebody."""
    assert message.from_user is not None
    return message.from_user


def rows(*buttons: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[*buttons])


def button(section: str, language: str) -> InlineKeyboardButton:
    """Return a button of the menu, for a keyboard of yours."""
    return InlineKeyboardButton(text=say(language, section), callback_data=f"sarafan:{section}")


def keyboard(language: str) -> InlineKeyboardMarkup:
    link, balance, friends, terms, why = (button(each, language) for each in SECTIONS)
    return rows([link], [balance, friends], [terms, why])
