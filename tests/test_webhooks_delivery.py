"""One message on its way: signed, sent, answered, tried again, given up."""

from contextlib import ExitStack
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from core import outbound
from integrations.models import Delivery, Endpoint
from integrations.webhooks import claims, endpoints, lanes, outcomes, schedule
from integrations.webhooks.shares import Share
from tenants.staff.models import AuditEntry
from tests import webhooks
from tests.cast import NOON
from tests.stand_ins.receivers import StandIn
from tests.webhooks import STRAIGHT, happen, send_due, statuses

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def stand_in():
    with StandIn() as found:
        yield found


@pytest.fixture
def receiver(stand_in):
    return stand_in.receiver


# What comes back


@pytest.mark.parametrize(
    ("mode", "error", "status"),
    [
        ("down", "answered", 500),
        ("redirects", "redirected", 307),
        ("hangs up", "no_answer", None),
    ],
)
def test_what_did_not_arrive_is_tried_again_later(acme, stand_in, receiver, mode, error, status):
    endpoint, _ = webhooks.add(stand_in.url)
    receiver.mode, receiver.leads_to = mode, stand_in.url
    happen(1)

    send_due(at=NOON)

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.error, delivery.answer_status) == ("waiting", 1, error, status)
    assert delivery.next_at == NOON + timedelta(seconds=5)
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.failing_since) == ("active", NOON)
    assert len(receiver.came) == 1


def test_a_redirect_is_not_followed_not_even_to_ourselves(acme, stand_in, receiver):
    with StandIn() as inside:
        webhooks.add(stand_in.url)
        receiver.mode, receiver.leads_to = "redirects", inside.url
        happen(1)

        send_due(at=NOON)

        assert (len(receiver.came), inside.receiver.came) == (1, [])


def test_nothing_is_sent_into_our_own_network_wherever_a_name_leads(acme, stand_in, receiver, settings):
    webhooks.add(stand_in.url)
    webhooks.add(stand_in.url.replace("127.0.0.1", "localhost"))
    happen(1)
    settings.OUTBOUND_ALLOW_LOOPBACK = False

    send_due(at=NOON)

    assert list(Delivery.objects.values_list("status", "error")) == [("waiting", "forbidden")] * 2
    assert receiver.came == []


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "100.64.0.1",
        "[::1]",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::a00:1]",
        "[::ffff:127.0.0.1]",
        "[2002:7f00:1::]",
    ],
)
def test_no_address_of_a_network_of_ours_is_called(settings, host):
    settings.OUTBOUND_ALLOW_LOOPBACK = False

    with pytest.raises(outbound.Forbidden):
        outbound.post(
            url=f"https://{host}/", headers={}, body=b"", seconds_max=1, answer_size_bytes_max=lambda _status: 1
        )


def test_nobody_there_is_no_answer_either(acme):
    webhooks.add("http://127.0.0.1:1/hooks")
    happen(1)

    send_due(at=NOON)

    assert Delivery.objects.values_list("status", "error", "answer_status").get() == ("waiting", "not_reached", None)


@pytest.mark.parametrize("mode", ["drips", "held up"])
def test_however_slowly_it_is_answered_the_time_is_over_at_some_point(stand_in, receiver, mode):
    receiver.mode = mode

    with pytest.raises(outbound.TooLate):
        outbound.post(
            url=stand_in.url, headers={}, body=b"{}", seconds_max=0.7, answer_size_bytes_max=lambda _status: 10
        )


@pytest.mark.parametrize(
    ("mode", "status", "kept_bytes"), [("long", "delivered", 1024), ("down", "waiting", 64 * 1024)]
)
def test_of_a_thank_you_1_kib_is_kept_and_of_what_went_wrong_64_and_no_nul(
    acme, stand_in, receiver, mode, status, kept_bytes
):
    webhooks.add(stand_in.url)
    receiver.mode, receiver.answer = mode, b"a\0" + b"b" * 200_000
    happen(1)

    send_due(at=NOON)

    delivery = Delivery.objects.get()
    # What stands for the NUL has two bytes more.
    assert (delivery.status, len(delivery.answer.encode()), delivery.answer[:3]) == (
        status,
        kept_bytes + 2,
        "a\ufffdb",
    )


# The schedule


def test_ten_attempts_over_three_days_and_then_it_is_given_up(acme, stand_in, receiver):
    webhooks.add(stand_in.url)
    receiver.mode = "down"
    happen(1)
    at, seen = NOON, []
    while Delivery.objects.filter(next_at__isnull=False).exists():
        # As if somebody else's messages had arrived now and then: else it would be disabled after a day.
        Endpoint.objects.update(failing_since=None)
        at = Delivery.objects.get().next_at
        seen.append(at - NOON)
        send_due(at=at)

    assert [seen[0], *(b - a for a, b in pairwise(seen))] == [timedelta(), *schedule.PAUSES]
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, len(delivery.tries)) == ("failed", 10, 9)
    assert len({came.body for came in receiver.came}) == len({came.message_id for came in receiver.came}) == 1
    assert len({came.headers["webhook-timestamp"] for came in receiver.came}) == 10
    assert seen[-1] == timedelta(hours=75, minutes=35, seconds=5)


def test_each_pause_is_up_to_a_tenth_longer_or_shorter():
    pauses = [schedule.next_at(attempts=4, rng=Random(seed), at=NOON) - NOON for seed in range(200)]  # noqa: S311

    assert timedelta(minutes=108) <= min(pauses) < timedelta(minutes=110)
    assert timedelta(minutes=130) < max(pauses) <= timedelta(minutes=132)


@pytest.mark.parametrize(
    ("mode", "retry_after", "pause"),
    [
        ("busy", "120", timedelta(minutes=2)),
        ("away", "Tue, 17 Mar 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("busy", "2", timedelta(seconds=5)),
        ("busy", "99999999999", timedelta(hours=24)),
        ("busy", "Tue, 17 Mar 2026 11:00:00 GMT", timedelta(seconds=5)),
        ("busy", "soon", timedelta(seconds=5)),
        ("busy", "Fri, 31 Dec 9999 23:59:59 -0100", timedelta(seconds=5)),
        ("away", "Sat, 01 Jan 99999999999999999999 00:00:00 GMT", timedelta(seconds=5)),
        ("away", "Tue, 17 Mar 2026 12:10:00 +99999999999999999999", timedelta(seconds=5)),
        ("down", "120", timedelta(seconds=5)),
    ],
)
def test_whoever_is_too_busy_is_given_the_time_that_they_ask_for(acme, stand_in, receiver, mode, retry_after, pause):
    webhooks.add(stand_in.url)
    receiver.mode, receiver.retry_after = mode, retry_after
    happen(1)

    send_due(at=NOON)

    assert Delivery.objects.get().next_at == NOON + pause


def test_each_attempt_says_which_it_is_and_who_calls(acme, stand_in, receiver, settings):
    webhooks.add(stand_in.url)
    receiver.mode = "down"
    happen(1)

    for later in (timedelta(), timedelta(seconds=5), timedelta(seconds=305)):
        send_due(at=NOON + later)

    assert [came.headers["webhook-attempt"] for came in receiver.came] == ["1", "2", "3"]
    assert {came.headers["user-agent"] for came in receiver.came} == {f"Sarafan/1 (+https://{settings.BASE_DOMAIN}/)"}


def test_a_success_ends_a_failing_time(acme, stand_in, receiver):
    endpoint, _ = webhooks.add(stand_in.url)
    receiver.mode = "down"
    happen(1)
    send_due(at=NOON)
    receiver.mode = "fine"

    send_due(at=NOON + timedelta(seconds=5))

    endpoint.refresh_from_db()
    assert (endpoint.failing_since, statuses(endpoint)) == (None, [("reward.granted", "delivered", 2)])
    (earlier,) = Delivery.objects.get().tries
    assert (earlier["at"], earlier["status"], earlier["error"]) == ("2026-03-17T12:00:00+00:00", 500, "answered")


def test_after_a_day_of_failures_it_is_disabled_and_the_log_says_so(acme, stand_in, receiver):
    endpoint, _ = webhooks.add(stand_in.url)
    receiver.mode = "down"
    happen(1)
    send_due(at=NOON)
    happen(2, at=NOON + 23 * HOUR)
    send_due(at=NOON + 23 * HOUR)
    endpoint.refresh_from_db()
    status_before = endpoint.status

    send_due(at=NOON + 24 * HOUR)

    endpoint.refresh_from_db()
    assert (status_before, endpoint.status, endpoint.status_note) == ("active", "disabled", "failing")
    assert [status for _kind, status, _attempts in statuses(endpoint)] == ["waiting", "waiting"]
    entry = AuditEntry.objects.get(action="webhook.disabled")
    assert (entry.actor_kind, entry.changes["why"]) == ("system", "failing")
    happen(3, at=NOON + 25 * HOUR)
    assert send_due(at=NOON + 48 * HOUR) == 0


def test_whoever_answers_410_is_not_asked_again(acme, stand_in, receiver):
    endpoint, _ = webhooks.add(stand_in.url)
    receiver.mode = "gone"
    happen(1, 2)

    send_due(at=NOON)

    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.status_note, len(receiver.came)) == ("disabled", "gone", 1)
    assert AuditEntry.objects.get(action="webhook.disabled").changes["why"] == "gone"


def test_whoever_is_resumed_gets_what_waited(acme, stand_in, receiver):
    endpoint, _ = webhooks.add(stand_in.url)
    receiver.mode = "gone"
    happen(1, 2)
    send_due(at=NOON)
    receiver.mode = "fine"

    webhooks.act(endpoints.resume, endpoint, at=NOON + HOUR)
    send_due(at=NOON + HOUR)

    assert {status for _kind, status, _attempts in statuses(endpoint)} == {"delivered"}
    endpoint.refresh_from_db()
    assert (endpoint.status_note, endpoint.failing_since) == ("", None)


# One that fails or is slow


def test_so_many_at_once_go_to_one_webhook_and_one_while_it_fails(acme, stand_in):
    endpoint, _ = webhooks.add(stand_in.url)
    happen(*range(1, 12))
    wanted_of_a_new_one = lanes.find_due(at=NOON)[0].lanes
    lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON)
    wanted = lanes.find_due(at=NOON)[0].lanes
    claimed = [claims.claim(endpoint_id=endpoint.pk, one_by_one=False, at=NOON) for _ in range(6)]
    Endpoint.objects.update(failing_since=NOON)
    Delivery.objects.filter(status="waiting").update(next_at=NOON, claimed_until=None)

    failing = [claims.claim(endpoint_id=endpoint.pk, one_by_one=False, at=NOON) for _ in range(3)]

    assert (wanted_of_a_new_one, wanted) == (1, 4)
    assert [each is not None for each in claimed] == [True] * 4 + [False] * 2
    assert [each is not None for each in failing] == [True, False, False]


def test_a_slow_webhook_is_sent_one_at_a_time_until_it_is_quick_again(acme, stand_in, receiver, monkeypatch):
    monkeypatch.setattr(lanes, "SLOW_MS", 50)
    endpoint, _ = webhooks.add(stand_in.url)
    happen(*range(1, 10))
    receiver.delay_seconds = 0.1
    lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON)
    lanes_while_slow = lanes.find_due(at=NOON)[0].lanes
    receiver.delay_seconds = 0
    lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON)

    assert (lanes_while_slow, lanes.find_due(at=NOON)[0].lanes) == (1, 4)


def test_a_tenant_has_a_quarter_of_the_threads_for_those_that_have_not_proved_quick(acme):
    troubled, _ = webhooks.add("https://slow.example.com/hooks")
    Endpoint.objects.filter(pk=troubled.pk).update(failing_since=NOON)
    unproved, _ = webhooks.add("https://new.example.com/hooks")

    with ExitStack() as held:
        for_trouble = [held.enter_context(lanes.opened(endpoint_id=troubled.pk)) for _ in range(lanes.THREADS)]
        for_new = [held.enter_context(lanes.opened(endpoint_id=unproved.pk)) for _ in range(lanes.THREADS)]
    with lanes.opened(endpoint_id=troubled.pk) as is_free_again:
        pass

    assert (for_trouble.count(True), for_new.count(True)) == (lanes.EIGHTH, lanes.QUARTER - lanes.EIGHTH)
    assert is_free_again


def test_one_that_was_quick_has_a_lane_beside_all_of_its_tenant_that_are_not(acme, stand_in):
    quick, _ = webhooks.add(stand_in.url)
    unproved, _ = webhooks.add("https://new.example.com/hooks")
    happen(1)
    lanes.deliver_one(endpoint_id=quick.pk, rng=STRAIGHT, at=NOON)

    with ExitStack() as held:
        for _ in range(lanes.THREADS):
            held.enter_context(lanes.opened(endpoint_id=unproved.pk))
        opened = [held.enter_context(lanes.opened(endpoint_id=quick.pk)) for _ in range(lanes.THREADS)]

    # As many as are left free: half of them all.
    assert opened.count(True) == lanes.HALF - lanes.QUARTER


def test_however_many_tenants_want_all_threads_one_is_left_for_whoever_comes_next():
    share = Share(size=32)
    with ExitStack() as held:
        counts = [
            [held.enter_context(share.taken(f"t_{tenant}")) for _ in range(32)].count(True) for tenant in range(4)
        ]
        is_left = held.enter_context(share.taken("t_next"))

    assert (counts, is_left) == ([16, 8, 4, 2], True)
    with share.taken("t_0") as is_given_back:
        assert is_given_back


def test_tenants_who_take_turns_have_equal_parts_and_leave_one(acme):
    share = Share(size=32)
    with ExitStack() as held:
        turns = [(tenant, held.enter_context(share.taken(tenant))) for _ in range(32) for tenant in ("t_a", "t_b")]

    assert [sum(is_taken for tenant, is_taken in turns if tenant == name) for name in ("t_a", "t_b")] == [11, 11]


def test_while_more_than_half_of_the_threads_are_busy_nobody_has_two(acme, stand_in):
    endpoint, _ = webhooks.add(stand_in.url)
    happen(*range(1, 10))
    lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON)
    claims.claim(endpoint_id=endpoint.pk, one_by_one=False, at=NOON)
    with ExitStack() as busy:
        for _ in range(lanes.HALF):
            busy.enter_context(lanes._counted())
        lanes_while_crowded = lanes.find_due(at=NOON)
        while_crowded = lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON)

    assert (lanes_while_crowded, while_crowded) == ([], None)
    assert lanes.deliver_one(endpoint_id=endpoint.pk, rng=STRAIGHT, at=NOON).is_delivered


# Whoever dies


def test_what_a_dead_worker_was_sending_is_sent_again_as_it_was(acme, stand_in, receiver):
    endpoint, _ = webhooks.add(stand_in.url)
    happen(1)
    claimed = claims.claim(endpoint_id=endpoint.pk, one_by_one=False, at=NOON)
    outcomes.of_attempt(
        url=claimed.url, message_id=claimed.message_id, body=claimed.body, secrets=claimed.secrets, attempt=1, at=NOON
    )
    # It was sent, and whoever sent it is no more.
    sent_at_once = send_due(at=NOON + timedelta(seconds=29))
    sent_later = send_due(at=NOON + claims.LEASE)

    assert (sent_at_once, sent_later) == (0, 1)
    first, again = receiver.came
    assert (first.message_id, first.body) == (again.message_id, again.body)
    assert statuses(endpoint) == [("reward.granted", "delivered", 1)]


def test_whoever_comes_too_late_changes_nothing(acme, stand_in):
    endpoint, _ = webhooks.add(stand_in.url)
    happen(1)
    late = claims.claim(endpoint_id=endpoint.pk, one_by_one=False, at=NOON)
    send_due(at=NOON + claims.LEASE)

    is_ours = claims.settle(claimed=late, outcome=outcomes.Outcome(error="too_late"), rng=STRAIGHT, at=NOON)

    endpoint.refresh_from_db()
    assert (is_ours, statuses(endpoint), endpoint.failing_since) == (
        False,
        [("reward.granted", "delivered", 1)],
        None,
    )
