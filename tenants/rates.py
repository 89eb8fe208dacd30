"""
How often one may ask: so many requests a second for each key, so many requests and events a day for each tenant.

From an address may come so many requests a minute with keys that nobody has.

Whoever asks has a bucket that fills evenly, and takes of it for each request (a token bucket, kept as one number: the
virtual scheduling of ITU-T I.371, known as GCRA). All of it is one call of a script in Valkey, which looks and takes at
once, so that many processes together let nobody have more than there is. Where Valkey is away everybody passes: it is
better to be asked too often than to answer nobody.
"""

import logging
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from redis import Redis, RedisError
from redis.commands.core import Script

from core import codes, valkey
from core.callers import subscriber_of
from core.errors import Limited
from tenants.keys import KnownKey

logger = logging.getLogger(__name__)

# How many seconds' worth may come at once.
BURST_SECONDS: Final = 2
MINUTE: Final = 60
# Somebody who follows a link that does not exist has perhaps lost a letter of it; whoever does so again and again
# tries them out.
UNKNOWN_CODE_COSTS: Final = 10
# So long a key that was sent is known to be one: longer than a process lives.
KNOWN_SECONDS: Final = 30 * 24 * 3600

breaker: Final = valkey.Breaker(rest_seconds=5.0)


class Allowance(NamedTuple):
    """What may be asked still: of `limit`, which is there again in full after `reset_seconds`."""

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the headers that tell of it (draft-ietf-httpapi-ratelimit-headers-06, section 5)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }


class RateLimited(Limited):
    """More requests in a moment than the key may send."""

    message = _("Too many requests at once. Wait as long as Retry-After says, and send them more slowly.")

    def __init__(self, allowance: Allowance, wait_seconds: int) -> None:
        super().__init__()
        self.allowance = allowance
        self.wait_seconds = wait_seconds


class TooManyUnknownKeys(Limited):
    """Somebody sends one key after another that nobody has, or the same again and again."""

    message = _("Too many requests with keys that are not valid. Wait as long as Retry-After says, and mend the key.")

    def __init__(self, wait_seconds: int) -> None:
        super().__init__()
        self.wait_seconds = wait_seconds


class QuotaUsedUp(Limited):
    """More in a day than the tenant may have; `quota` says of what."""

    message = _("The day's quota is used up. It begins anew at midnight UTC; the platform's support can raise it.")

    def __init__(self, allowance: Allowance, wait_seconds: int, *, quota: str) -> None:
        super().__init__(extra={"quota": quota, "limit": allowance.limit})
        self.allowance = allowance
        self.wait_seconds = wait_seconds


class Bucket(NamedTuple):
    """What fills evenly: one more each `interval_us` microseconds, up to `size`."""

    name: str
    size: int
    interval_us: int


class Quota(NamedTuple):
    """What a day has `limit` of, and this request takes `amount` of."""

    name: str
    of: str
    limit: int
    amount: int


class Answer(NamedTuple):
    """What the script gives: who refused (0 nobody, 1 the bucket, 2 and on the quotas), and what is left."""

    refused_by: int
    left: int
    full_in_us: int
    room_in_us: int
    quotas_left: tuple[int, ...]


def take(*, key: KnownKey, address: str | None, events: int, at: datetime) -> Allowance | None:
    """
    Let a request pass that reports so many events; return what is left, or None where nobody knows.

    `at` is real time, also in a sandbox whose clock was advanced.

    :raises RateLimited: when the key has sent too many.
    :raises QuotaUsedUp: when the tenant has had its day's requests or events.
    """
    bucket, quotas = _bucket_of(key, address), _quotas_of(key, events, at)
    answer = _ask(bucket, quotas, at=at)
    if answer is None:
        return None
    till_midnight = _till_midnight_seconds(at)
    of_bucket = Allowance(bucket.size, answer.left, math.ceil(answer.full_in_us / 1e6))
    if answer.refused_by == 1:
        raise RateLimited(of_bucket, max(math.ceil(answer.room_in_us / 1e6), 1))
    of_quotas = [
        Allowance(quota.limit, left, till_midnight) for quota, left in zip(quotas, answer.quotas_left, strict=True)
    ]
    if answer.refused_by:
        place = answer.refused_by - 2
        raise QuotaUsedUp(of_quotas[place], till_midnight, quota=quotas[place].of)
    # Of several, whoever asks should know the one that ends first.
    return min((of_bucket, *of_quotas), key=lambda allowance: allowance.remaining)


def visit(*, schema: str, address: str | None, at: datetime) -> int:
    """Count a visit of a member's link; return after how many seconds it may be tried again: 0 if it may be now."""
    answer = _ask(_bucket_of_visitor(schema, address), at=at)
    return 0 if answer is None or not answer.refused_by else max(math.ceil(answer.room_in_us / 1e6), 1)


def visit_of_unknown(*, schema: str, address: str | None, at: datetime) -> None:
    """Count a visit that led nowhere as several: whoever guesses codes is soon asked to wait."""
    _ask(_bucket_of_visitor(schema, address), cost=UNKNOWN_CODE_COSTS - 1, is_owed=True, at=at)


def check_stranger(*, given: codes.Key | None, address: str | None, at: datetime) -> None:
    """
    Let somebody pass of whom this process does not know whether their key is one. It takes nothing of what they have.

    :raises TooManyUnknownKeys: when too many keys that nobody has have come from there, and this one was never right.
    """
    bucket = _bucket_of_stranger(address)
    answer = _ask(bucket, cost=0, at=at)
    if answer is not None and not answer.left and not _is_known(given):
        room_in_us = answer.full_in_us - (bucket.size - 1) * bucket.interval_us
        raise TooManyUnknownKeys(max(math.ceil(room_in_us / 1e6), 1))


def note_stranger(*, address: str | None, at: datetime) -> None:
    """Count a request whose key nobody has."""
    _ask(_bucket_of_stranger(address), is_owed=True, at=at)


def note_known(given: codes.Key) -> None:
    """Note, for other processes and those that begin later, that a key is one: a neighbour's do not hold it up."""
    _told(lambda client: client.set(_name_of(given), 1, ex=KNOWN_SECONDS))


def is_working() -> bool:
    """Tell whether anything is counted now."""
    try:
        return bool(valkey.client().ping())
    except RedisError:
        return False


def a_second(*, key: KnownKey) -> int:
    """Return how many requests a second a key may send; a publishable one, from each address."""
    usual: int = settings.API_REQUESTS_A_SECOND_OF_VISITOR if key.is_publishable else settings.API_REQUESTS_A_SECOND
    return key.requests_a_second_max or usual


def requests_a_day(*, key: KnownKey) -> int:
    """Return how many requests a day the keys of a tenant may send; its sandbox's, as many more."""
    return key.tenant.requests_a_day_max or int(settings.API_REQUESTS_A_DAY)


def events_a_day(*, key: KnownKey) -> int:
    """Return how many events a day may be reported to a tenant."""
    return key.tenant.events_a_day_max or int(settings.API_EVENTS_A_DAY)


def _bucket_of(key: KnownKey, address: str | None) -> Bucket:
    # A publishable key is everybody's: one visitor shall not use up what the others need.
    whose = f"{key.id}:{subscriber_of(address)}" if key.is_publishable else str(key.id)
    rate = a_second(key=key)
    return Bucket(f"rate:{{{key.tenant.schema_name}}}:key:{whose}", rate * BURST_SECONDS, 1_000_000 // rate)


def _bucket_of_visitor(schema: str, address: str | None) -> Bucket:
    a_minute = settings.LINK_VISITS_A_MINUTE
    return Bucket(f"rate:{{{schema}}}:link:{subscriber_of(address)}", a_minute, MINUTE * 1_000_000 // a_minute)


def _bucket_of_stranger(address: str | None) -> Bucket:
    a_minute = settings.API_UNKNOWN_KEYS_A_MINUTE
    return Bucket(f"rate:unknown-key:{subscriber_of(address)}", a_minute, MINUTE * 1_000_000 // a_minute)


def _is_known(given: codes.Key | None) -> bool:
    # Where Valkey has just gone away everybody passes.
    return given is not None and _told(lambda client: client.exists(_name_of(given))) != 0


def _name_of(given: codes.Key) -> str:
    # Who sees the name cannot tell the key from it.
    return f"rate:known-key:{codes.secret_hash(given.full)}"


def _quotas_of(key: KnownKey, events: int, at: datetime) -> list[Quota]:
    # Whoever takes a publishable key from a page shall not use up what the tenant's own programs need.
    of = "public" if key.is_publishable else "requests"
    start = f"rate:{{{key.tenant.schema_name}}}:{at.astimezone(UTC):%Y-%m-%d}"
    found = [Quota(f"{start}:{of}", "requests", requests_a_day(key=key), 1)]
    if events:
        found.append(Quota(f"{start}:events", "events", events_a_day(key=key), events))
    return found


def _till_midnight_seconds(at: datetime) -> int:
    today = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return math.ceil((today + timedelta(days=1) - at).total_seconds())


def _ask(
    bucket: Bucket, quotas: Sequence[Quota] = (), *, cost: int = 1, is_owed: bool = False, at: datetime
) -> Answer | None:
    given = [int(at.timestamp() * 1_000_000), bucket.interval_us, bucket.size, cost, int(is_owed)]
    of_quotas = [number for quota in quotas for number in (quota.amount, quota.limit)]
    names = [bucket.name, *(quota.name for quota in quotas)]
    answer = _told(lambda client: _script()(keys=names, args=[*given, *of_quotas], client=client))
    if answer is None:
        return None
    refused_by, left, full_in_us, room_in_us, *quotas_left = answer
    return Answer(refused_by, left, full_in_us, room_in_us, tuple(quotas_left))


def _told(ask: Callable[[Redis], Any]) -> Any:
    """Return what Valkey says, or None where it is away."""
    if breaker.is_open:
        return None
    try:
        return ask(valkey.client())
    except RedisError:
        if breaker.trip():
            logger.exception("Requests are not counted: Valkey is away, and everybody passes.")
        return None


@lru_cache(maxsize=1)
def _script() -> Script:
    # It is sent once, and then called by its hash.
    return valkey.client().register_script(_SCRIPT)


# All numbers are whole, and below 2^53, which is as far as Lua counts exactly. Times are microseconds since 1970.
# Nothing is taken unless all of it is there.
_SCRIPT: Final = """
local now, interval, size, cost, owed = unpack(ARGV)
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(now))
local then_full_at = full_at + cost * interval
local latest = now + size * interval
local refused_by = 0
if owed == '0' and then_full_at > latest then
    refused_by = 1
end
local answer = {}
for i = 2, #KEYS do
    local used = tonumber(redis.call('GET', KEYS[i]) or 0)
    local amount, limit = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
    if refused_by == 0 and used + amount > limit then
        refused_by = i
    end
    answer[i - 1] = limit - used
end
if refused_by == 0 then
    full_at = then_full_at
    redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000) + 1000)
    for i = 2, #KEYS do
        if redis.call('INCRBY', KEYS[i], ARGV[2 + 2 * i]) == tonumber(ARGV[2 + 2 * i]) then
            redis.call('EXPIRE', KEYS[i], 172800)
        end
        answer[i - 1] = answer[i - 1] - ARGV[2 + 2 * i]
    end
end
local left = math.max(math.floor((latest - full_at) / interval), 0)
local room_in = math.max(full_at + cost * interval - latest, 0)
for i = #KEYS - 1, 1, -1 do
    answer[i] = math.max(answer[i], 0)
end
return {refused_by, left, full_at - now, room_in, unpack(answer)}
"""
