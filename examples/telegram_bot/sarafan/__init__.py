"""Everything a bot needs of Sarafan: copy this folder, and see `bot.py` for the lines that take it in."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any

from aiogram import Bot
from aiohttp import web

from sarafan import hooks, menu
from sarafan.api import Api
from sarafan.members import Members
from sarafan.store import Store


@dataclass(frozen=True)
class Settings:
    """
    Where Sarafan is (`https://…/api/v1`), and where it finds us.

    `webhook_secret` is what adding the webhook has answered (`whsec_…`), and `seconds_max` how long a request may take.
    """

    url: str
    key: str
    webhook_secret: str
    webhook_host: str = "127.0.0.1"
    webhook_port: int = 8090
    store_path: str = "sarafan.sqlite3"
    seconds_max: float = 5.0

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Settings":
        """Read them from variables such as SARAFAN_URL."""
        given = {each.name: environ.get(f"SARAFAN_{each.name.upper()}") for each in fields(cls)}
        settings: dict[str, Any] = {name: text for name, text in given.items() if text}
        for name, read in (("webhook_port", int), ("seconds_max", float)):
            if name in settings:
                settings[name] = read(settings[name])
        missing = [f"SARAFAN_{name.upper()}" for name in ("url", "key", "webhook_secret") if name not in settings]
        if missing:
            raise LookupError(f"README.md says what to put into {', '.join(missing)}.")
        return cls(**settings)


class Sarafan:
    """Include `router` before your own, and poll while `running` lasts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store_path)
        self.api = Api(settings.url, settings.key, seconds_max=settings.seconds_max)
        self.members = Members(api=self.api, store=self.store)
        self.router = menu.make_router(members=self.members, store=self.store)

    @asynccontextmanager
    async def running(self, bot: Bot) -> AsyncIterator[None]:
        """Hear Sarafan's webhooks, and see to what could not be sent before."""
        runner = web.AppRunner(hooks.application(store=self.store, secret=self.settings.webhook_secret))
        await runner.setup()
        await web.TCPSite(runner, self.settings.webhook_host, self.settings.webhook_port).start()
        work = [
            asyncio.create_task(self.members.report_forever()),
            asyncio.create_task(hooks.tell_forever(bot, self.store)),
        ]
        try:
            yield
        finally:
            for each in work:
                each.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await runner.cleanup()
            await self.api.close()
            self.store.close()
