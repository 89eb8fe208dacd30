"""
The bot of a shop, as it was, and what it takes to give it Sarafan: the lines that are marked so.

Everything that it must know stands in its environment; README.md has the list.
"""

import asyncio
import logging
from os import environ

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command, CommandStart
from aiogram.types import BotCommand, InlineKeyboardMarkup, Message

from sarafan import Sarafan, Settings  # Sarafan
from sarafan.hooks import patient  # Sarafan
from sarafan.menu import COMMANDS, button  # Sarafan
from sarafan.words import language_of  # Sarafan

shop = Router(name="shop")


@shop.message(CommandStart(deep_link=True, magic=F.args.startswith("promo_")))
async def promotion(message: Message) -> None:
    await message.answer(f"A discount for you: {(message.text or '').partition('promo_')[2]}")


@shop.message(CommandStart())
async def start(message: Message) -> None:
    language = language_of(message.from_user)  # type: ignore[arg-type]
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[button("link", language)]])  # Sarafan
    await message.answer("Hello! I sell records.", reply_markup=keyboard)


@shop.message(Command("help"))
async def help_(message: Message) -> None:
    await message.answer("/order buys a record.")


@shop.message(Command("order"))
async def order(message: Message) -> None:
    await message.answer("Which record?")


@shop.message(F.text)
async def echo(message: Message) -> None:
    await message.answer(f"You said: {message.text}")


async def main() -> None:
    server = TelegramAPIServer.from_base(environ.get("BOT_API_URL", "https://api.telegram.org"))
    bot = Bot(environ["BOT_TOKEN"], session=AiohttpSession(api=server))
    bot.session.middleware(patient)  # Sarafan
    sarafan = Sarafan(Settings.of(environ))  # Sarafan
    dispatcher = Dispatcher()
    dispatcher.include_routers(sarafan.router, shop)  # Sarafan's first: it takes only what is its own
    await bot.set_my_commands([BotCommand(command="order", description="Buy a record"), *COMMANDS])
    async with sarafan.running(bot):  # Sarafan
        await dispatcher.start_polling(bot)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main())
