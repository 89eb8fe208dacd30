"""The REST API."""

from typing import Any
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout

# A key that is wrong, or may do too little, is a matter between you and Sarafan: nothing is lost until it is put right.
AWAY = {401, 403, 429}


class Away(Exception):
    """Nobody answers, or not now. What was sent may have arrived all the same: send it again with the same key."""

    def __init__(self, why: str, *, retry_seconds: float = 0.0) -> None:
        super().__init__(why)
        self.retry_seconds = retry_seconds


class Refused(Exception):
    """It has answered, and it will answer the same again."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class Api:
    """Sends a request, and says in one of two ways that it did not work."""

    def __init__(self, url: str, key: str, *, seconds_max: float) -> None:
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {key}"}
        self.timeout = ClientTimeout(total=seconds_max)
        self._session: ClientSession | None = None

    async def get(self, path: str, **query: str) -> Any:
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: Any) -> Any:
        return await self._ask("POST", path, json=body)

    async def of(self, external_id: str, what: str = "", **query: str) -> Any:
        """Ask about a member. What is no JSON comes as bytes."""
        return await self.get(f"/members/{quote(external_id, safe='')}{what}", **query)

    async def _ask(self, method: str, path: str, **how: Any) -> Any:
        """
        Return the answer.

        :raises Away:
        :raises Refused:
        """
        if self._session is None:
            self._session = ClientSession(headers=self.headers, timeout=self.timeout)
        try:
            async with self._session.request(method, self.url + path, **how) as answer:
                is_json = "json" in answer.content_type
                said = await (answer.json(content_type=None) if is_json else answer.read())
                if answer.ok:
                    return said
                code = said.get("code", "") if isinstance(said, dict) else ""
                if answer.status >= 500 or answer.status in AWAY:
                    raise Away(f"{answer.status} {code}", retry_seconds=float(answer.headers.get("Retry-After", 0)))
                raise Refused(answer.status, code)
        except (ClientError, TimeoutError, ValueError) as error:
            raise Away(type(error).__name__) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
