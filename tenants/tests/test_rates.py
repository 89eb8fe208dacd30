"""How often one may ask, and what one is told of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from core import valkey
from tenants import keys, rates
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)
AFTER_MIDNIGHT = datetime(2026, 3, 18, 0, 0, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _usual_limits(settings):
    settings.API_REQUESTS_A_SECOND = 5
    settings.API_REQUESTS_A_SECOND_OF_VISITOR = 2
    settings.API_REQUESTS_A_DAY = 1000
    settings.API_EVENTS_A_DAY = 1000
    settings.LINK_VISITS_A_MINUTE = 60
    rates.breaker.reset()
    yield
    rates.breaker.reset()


def key_of(tenant, **wish):
    wish = {"environment": "live", "name": "Shop", "scopes": ["events:write"]} | wish
    row, _full = keys.issue(tenant=tenant, **wish, at=NOON)
    return keys.find(prefix=row.prefix)


def page_key_of(tenant):
    origins = ["https://shop.example.com"]
    return key_of(tenant, kind="publishable", scopes=["public:read"], allowed_origins=origins)


def take(key, *, address="203.0.113.7", events=0, at=NOON):
    try:
        return rates.take(key=key, address=address, events=events, at=at)
    except (rates.RateLimited, rates.QuotaUsedUp) as refused:
        return refused


def passed(*answers) -> int:
    return sum(isinstance(each, rates.Allowance) for each in answers)


# A second


def test_two_seconds_worth_may_come_at_once_and_no_more(acme):
    key = key_of(acme)

    answers = [take(key) for _ in range(11)]

    assert [answer.remaining for answer in answers[:10]] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert (answers[0].limit, answers[0].reset_seconds, answers[9].reset_seconds) == (10, 1, 2)
    assert (answers[10].code, answers[10].wait_seconds) == ("rate_limited", 1)
    assert answers[10].allowance == rates.Allowance(limit=10, remaining=0, reset_seconds=2)


def test_a_bucket_fills_evenly(acme):
    key = key_of(acme)
    for _ in range(10):
        take(key)

    # Five a second: the next is there after a fifth of one.
    assert take(key, at=NOON + timedelta(milliseconds=199)).code == "rate_limited"
    assert take(key, at=NOON + timedelta(milliseconds=200)).remaining == 0
    assert take(key, at=NOON + timedelta(milliseconds=200)).code == "rate_limited"
    assert passed(*(take(key, at=NOON + timedelta(seconds=1, milliseconds=200)) for _ in range(9))) == 5
    assert passed(*(take(key, at=NOON + timedelta(minutes=1)) for _ in range(30))) == 10


def test_of_fifty_who_ask_at_once_ten_pass(acme):
    key = key_of(acme)

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _number: take(key), range(50)))

    assert passed(*answers) == 10
    assert {answer.code for answer in answers if not isinstance(answer, rates.Allowance)} == {"rate_limited"}


def test_a_clock_that_is_behind_gives_nothing_back(acme):
    key = key_of(acme)
    for _ in range(10):
        take(key)

    assert take(key, at=NOON - timedelta(minutes=5)).code == "rate_limited"


def test_each_key_has_a_bucket_of_its_own(acme, bolt):
    mine, other, theirs = key_of(acme), key_of(acme), key_of(bolt)
    for _ in range(11):
        take(mine)

    assert [take(key).remaining for key in (other, theirs)] == [9, 9]


def test_a_key_may_have_a_number_of_its_own(acme):
    key = key_of(acme, requests_a_second_max=1)

    assert passed(*(take(key) for _ in range(5))) == 2


def test_of_a_publishable_key_each_visitor_has_a_bucket(acme):
    key = page_key_of(acme)

    assert passed(*(take(key, address="203.0.113.7") for _ in range(9))) == 4
    assert passed(*(take(key, address="203.0.113.8") for _ in range(9))) == 4


# A day


def test_all_keys_of_a_tenant_share_the_days_requests(acme, settings):
    settings.API_REQUESTS_A_DAY = 3
    one, other = key_of(acme), key_of(acme)

    assert [take(one).remaining, take(other).remaining, take(one).remaining] == [2, 1, 0]
    refused = take(other)
    assert (refused.code, refused.extra, refused.wait_seconds) == (
        "quota_used_up",
        {"quota": "requests", "limit": 3},
        12 * 3600,
    )
    assert refused.allowance == rates.Allowance(limit=3, remaining=0, reset_seconds=12 * 3600)


def test_the_quota_is_there_again_after_midnight(acme, settings):
    settings.API_REQUESTS_A_DAY = 1
    key = key_of(acme)
    take(key)
    assert take(key, at=AFTER_MIDNIGHT - timedelta(seconds=2)).wait_seconds == 1

    assert take(key, at=AFTER_MIDNIGHT).remaining == 0


def test_events_are_counted_one_by_one_and_a_batch_passes_whole_or_not_at_all(acme, settings):
    settings.API_EVENTS_A_DAY = 8
    key = key_of(acme)

    assert take(key, events=5).remaining == 3
    refused = take(key, events=4)
    assert (refused.code, refused.extra) == ("quota_used_up", {"quota": "events", "limit": 8})
    assert refused.allowance.remaining == 3
    assert take(key, events=3).remaining == 0
    # What reports nothing is not concerned.
    assert take(key, events=0).remaining == 7


def test_who_was_refused_has_used_nothing(acme, settings):
    settings.API_EVENTS_A_DAY = 1
    settings.API_REQUESTS_A_DAY = 4
    key = key_of(acme)

    for _ in range(20):
        take(key, events=2)

    assert [take(key).remaining for _ in range(4)] == [3, 2, 1, 0]


def test_another_tenants_quota_is_untouched(acme, bolt, settings):
    settings.API_REQUESTS_A_DAY = 2
    mine, theirs = key_of(acme), key_of(bolt)
    for _ in range(5):
        take(mine)

    assert take(theirs).remaining == 1


def test_live_and_sandbox_share_nothing(acme, settings):
    settings.API_REQUESTS_A_DAY = 2
    live, test = key_of(acme), key_of(acme, environment="sandbox")
    for _ in range(5):
        take(test)

    assert take(live).remaining == 1


def test_pages_cannot_use_up_what_programs_need(acme, settings):
    settings.API_REQUESTS_A_DAY = 2
    page, program = page_key_of(acme), key_of(acme)
    for number in range(5):
        take(page, address=f"203.0.113.{number}")

    assert take(page, address="203.0.113.99").code == "quota_used_up"
    assert take(program).remaining == 1


def test_a_tenant_may_have_quotas_of_its_own(acme):
    Tenant.objects.filter(id=acme.id).update(requests_a_day_max=2, events_a_day_max=7)
    key = key_of(acme)

    assert take(key, events=3).remaining == 1
    assert (rates.requests_a_day(key=key), rates.events_a_day(key=key)) == (2, 7)


# Without Valkey


def test_without_valkey_everybody_passes_and_the_log_says_so_once(acme, settings, caplog):
    key = key_of(acme)
    settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere.sock"}}

    answers = [take(key) for _ in range(100)]

    assert answers == [None] * 100
    assert [record.getMessage() for record in caplog.records] == [
        "Requests are not counted: Valkey is away, and everybody passes."
    ]
    assert caplog.records[0].levelname == "ERROR"
    assert not rates.is_working()


def test_once_valkey_is_back_requests_are_counted_again(acme, settings):
    key, usual = key_of(acme), settings.CACHES
    settings.CACHES = {**usual, "default": {**usual["default"], "LOCATION": "unix:///nowhere.sock"}}
    take(key)

    settings.CACHES = usual
    assert take(key) is None
    rates.breaker.reset()
    assert take(key).remaining == 9
    assert rates.is_working()


def test_a_valkey_that_has_forgotten_the_script_is_told_it_again(acme):
    key = key_of(acme)
    take(key)
    valkey.client().script_flush()

    assert take(key).remaining == 8


# Links


def visit(address="203.0.113.7", at=NOON) -> int:
    return rates.visit(schema="t_acme", address=address, at=at)


def test_links_are_followed_sixty_times_a_minute_from_one_address():
    assert [visit() for _ in range(61)] == [0] * 60 + [1]
    assert visit("203.0.113.8") == 0
    assert {visit(f"2001:db8::{number:x}") for number in range(60)} == {0}
    assert visit("2001:db8::ffff") == 1
    assert rates.visit(schema="t_bolt", address="203.0.113.7", at=NOON) == 0
    assert visit(at=NOON + timedelta(seconds=1)) == 0


def test_whoever_tries_codes_out_is_stopped_ten_times_as_soon():
    tried = 0
    while visit() == 0:
        rates.visit_of_unknown(schema="t_acme", address="203.0.113.7", at=NOON)
        tried += 1

    assert tried == 6
    assert visit() == 1
