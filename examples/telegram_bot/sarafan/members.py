"""Whoever writes to the bot, as a member: reported at once or, when Sarafan is away, as soon as it is back."""

import asyncio
import logging
from datetime import datetime
from typing import Any

from aiogram.types import User

from sarafan.api import Api, Away, Refused
from sarafan.store import Store

logger = logging.getLogger(__name__)
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 1.0, 30.0


class Members:
    """
    Joins people, and knows by which id Sarafan knows them.

    An event names somebody by Telegram id only, which is true whoever else reports them. Addresses and webhooks have
    the external id: that of your shop, if it has reported their Telegram id too; else one of ours is added.
    """

    def __init__(self, *, api: Api, store: Store) -> None:
        self.api = api
        self.store = store

    def join(self, user: User, *, key: str, at: datetime, code: str = "") -> None:
        """Keep it that somebody signed up. From here on it is not lost, and not done twice: the key is the update's."""
        data = {"channel": "telegram", "telegram_username": bool(user.username)} | ({"code": code} if code else {})
        member = {"telegram": user.id}
        occurred_at = at.isoformat()
        body = {"key": key, "kind": "member.joined", "member": member, "occurred_at": occurred_at, "data": data}
        self.store.join(user.id, key=key, body=body)

    async def external_id_of(self, telegram: int) -> str:
        """
        Return by which id to ask about somebody, giving them one if they have none.

        :raises Away:
        """
        known = self.store.external_id_of(telegram)
        if known is None:
            found = await self._find(telegram) or await self._give(telegram)
            known = str(found["external_id"])
            self.store.identify(telegram, member_id=found["id"], external_id=known)
        return known

    async def _find(self, telegram: int) -> Any:
        """Return the member whom a Telegram id means, or nothing if none is, or has no external id."""
        try:
            found = await self.api.post("/members/search", {"telegram": telegram})
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None
        return found if found["external_id"] else None

    async def _give(self, telegram: int) -> Any:
        return await self.api.post("/members", {"telegram": telegram, "external_id": f"tg-{telegram}"})

    async def report(self) -> None:
        """
        Send what waits, in its order.

        :raises Away: what has not been taken goes on waiting.
        """
        for key, body in self.store.waiting():
            self.store.settle(key, await self._outcome_of(body))

    async def _outcome_of(self, body: Any) -> str:
        try:
            # First of all, so that whatever it earns can be told.
            await self.external_id_of(body["member"]["telegram"])
            await self.api.post("/events", body)
        except Refused as refusal:
            logger.error("Sarafan does not take %s: %s", body["key"], refusal)  # noqa: TRY400 (no crash)
            return f"refused: {refusal}"
        return "sent"

    async def report_forever(self) -> None:
        """Try again, less and less often, for as long as it takes."""
        pause_seconds = PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause_seconds)
            try:
                await self.report()
                pause_seconds = PAUSE_SECONDS
            except Away as away:
                logger.warning("Sarafan is away: %s", away)
                pause_seconds = min(max(2 * pause_seconds, away.retry_seconds), PAUSE_SECONDS_MAX)
            except Exception:
                # Whatever it is, the others must not wait for ever.
                logger.exception("What waits could not be reported.")
                pause_seconds = PAUSE_SECONDS_MAX
