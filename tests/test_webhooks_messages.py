"""What a message says, how it is signed, and what is left of it when its member is erased."""

from datetime import timedelta

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from core.db import transaction
from events import facts
from events.facts import Fact
from integrations.models import Delivery
from integrations.webhooks import endpoints
from members import erasing, people
from referrals.models import Referral
from tenants import context
from tenants.models import Tenant
from tests import webhooks
from tests.cast import NOON, Shop
from tests.stand_ins.receivers import StandIn
from tests.webhooks import happen, read, send_due, told

MINUTE = timedelta(minutes=1)


@pytest.fixture
def stand_in():
    with StandIn() as found:
        yield found


@pytest.fixture
def receiver(stand_in):
    return stand_in.receiver


# What is sent


def test_a_message_says_what_happened_to_whom_and_where(acme, stand_in, receiver):
    shop = Shop()
    shop.joins("anna")
    _endpoint, secret = webhooks.add(stand_in.url)
    happen(12, member_id=shop.id_of("anna"))

    send_due(at=NOON)

    (came,) = receiver.came
    delivery = Delivery.objects.get()
    assert read(came, secret, at=NOON) == {
        "id": delivery.message_id,
        "type": "reward.granted",
        "version": 1,
        "timestamp": "2026-03-17T12:00:00Z",
        "sequence": delivery.event_id,
        "object": {"type": "reward", "id": 12},
        "tenant": "acme",
        "environment": "live",
        "data": {
            "reward_id": 12,
            "kind": "points",
            "what": "",
            "member": {"id": shop.id_of("anna"), "external_id": "anna"},
        },
    }
    assert (came.headers["content-type"], came.headers["webhook-id"]) == ("application/json", delivery.message_id)
    assert came.body.decode() == delivery.body
    assert (delivery.status, delivery.answer_status, delivery.error, delivery.delivered_at) == (
        "delivered",
        204,
        "",
        NOON,
    )


def test_what_is_between_our_own_parts_is_not_sent(acme, stand_in, receiver):
    webhooks.add(stand_in.url, kinds=["reward.issued"])
    data = {"kind": "points", "what": "", "amount": 5, "reason": "x", "actor": "marta", "fingerprint": "secret"}
    with transaction():
        facts.record(facts=[Fact("reward.issued", "issued:1", data)], at=NOON)

    send_due(at=NOON)

    assert told(receiver)[0]["data"] == {
        "kind": "points",
        "what": "",
        "amount": 5,
        "reason": "x",
        "actor": "marta",
        "member": None,
    }


def test_facts_about_one_object_have_numbers_that_grow(acme, stand_in, receiver):
    webhooks.add(stand_in.url)
    for what in ("granted", "cancelled", "granted"):
        data = {"reward_id": 12, "kind": "points", "what": ""}
        with transaction():
            facts.record(facts=[Fact(f"reward.{what}", f"{what}:{Delivery.objects.count()}", data)], at=NOON)

    send_due(at=NOON)

    numbers = [each["sequence"] for each in told(receiver)]
    assert numbers == sorted(set(numbers))
    assert {each["object"]["id"] for each in told(receiver)} == {12}


# Signatures


def test_a_signature_is_good_for_its_own_message_and_secret_only(acme, stand_in, receiver):
    _endpoint, secret = webhooks.add(stand_in.url)
    _other, other_secret = webhooks.add("https://shop.example.com/hooks", kinds=["points.expired"])
    happen(1)
    send_due(at=NOON)
    (came,) = receiver.came

    with pytest.raises(WebhookVerificationError):
        read(came, other_secret, at=NOON)
    with pytest.raises(WebhookVerificationError):
        read(type(came)(came.path, came.headers, came.body + b" ", came.at), secret, at=NOON)
    with pytest.raises(WebhookVerificationError):
        read(came, secret, at=NOON + 6 * MINUTE)
    assert read(came, secret, at=NOON + 4 * MINUTE)["type"] == "reward.granted"


def test_while_a_secret_takes_the_others_place_both_sign_and_a_day_later_the_new_one_alone(acme, stand_in, receiver):
    endpoint, old = webhooks.add(stand_in.url)
    _endpoint, new = webhooks.act(endpoints.rotate, endpoint)
    later = NOON + endpoints.OVERLAP
    happen(1)
    send_due(at=NOON)
    happen(2, at=later)
    send_due(at=later)
    during, after = receiver.came

    assert len(during.headers["webhook-signature"].split(" ")) == 2
    assert read(during, old, at=NOON) == read(during, new, at=NOON)
    assert len(after.headers["webhook-signature"].split(" ")) == 1
    assert read(after, new, at=later)["object"]["id"] == 2
    with pytest.raises(WebhookVerificationError):
        read(after, old, at=later)


def test_each_secret_signs_until_its_own_day_is_over(acme, stand_in, receiver):
    endpoint, first = webhooks.add(stand_in.url)
    _endpoint, second = webhooks.act(endpoints.rotate, endpoint)
    _endpoint, third = webhooks.act(endpoints.rotate, endpoint, at=NOON + timedelta(hours=1))
    instants = [NOON + timedelta(hours=hours) for hours in (23, 24, 25)]
    for number, at in enumerate(instants):
        happen(number, at=at)
        send_due(at=at)

    is_good = [
        [_reads(came, secret, at=at) for secret in (first, second, third)]
        for came, at in zip(receiver.came, instants, strict=True)
    ]

    assert is_good == [[True, True, True], [False, True, True], [False, False, True]]


def test_when_the_overlap_is_ended_an_old_secret_signs_nothing_more(acme, stand_in, receiver):
    endpoint, old = webhooks.add(stand_in.url)
    _endpoint, new = webhooks.act(endpoints.rotate, endpoint)

    webhooks.act(endpoints.end_overlap, endpoint)
    happen(1)
    send_due(at=NOON)

    assert [_reads(receiver.came[0], secret, at=NOON) for secret in (old, new)] == [False, True]


def _reads(came, secret, *, at) -> bool:
    try:
        read(came, secret, at=at)
    except WebhookVerificationError:
        return False
    return True


def test_a_secret_is_stored_sealed(acme):
    endpoint, secret = webhooks.add("https://shop.example.com/hooks")

    assert secret.startswith("whsec_")
    assert secret.removeprefix("whsec_") not in endpoint.secret
    assert endpoint.secret.startswith("v1.")


def test_a_sandbox_whose_clock_is_ahead_signs_for_the_time_that_it_is(acme, stand_in, receiver):
    ahead = timedelta(days=7)
    Tenant.objects.filter(live=acme).update(clock_ahead=ahead)
    with context.in_tenant("t_acme_sandbox"):
        _endpoint, secret = webhooks.add(stand_in.url)
        happen(1, at=NOON + ahead)

        send_due(at=NOON + ahead)

    assert read(receiver.came[0], secret, at=NOON)["timestamp"] == "2026-03-24T12:00:00Z"


# Forgetting


def test_of_somebody_who_is_erased_nothing_stays_in_the_log_and_what_waits_has_no_name(acme, stand_in, receiver):
    shop = Shop()
    shop.joins("anna")
    webhooks.add(stand_in.url, kinds=["reward.granted"])
    anna = people.get_by_external_id("anna")
    receiver.mode = "down"
    happen(1, member_id=anna.pk)
    send_due(at=NOON)

    with transaction():
        erasing.erase(member=anna, actor_kind="staff", actor="marta", at=NOON)
    body_then = Delivery.objects.get().body
    receiver.mode = "fine"
    send_due(at=NOON + timedelta(seconds=5))

    assert body_then == ""
    assert told(receiver)[0]["data"]["member"] == {"id": anna.pk, "external_id": "anna"}
    assert told(receiver)[1]["data"]["member"] == {"id": anna.pk, "external_id": None}
    assert "anna" not in Delivery.objects.get().body


def test_a_referral_is_told_of_by_the_number_under_which_the_api_knows_it(acme, stand_in, receiver):
    shop = Shop()
    webhooks.add(stand_in.url, kinds=["referral.attributed"])
    shop.joins("anna")
    shop.joins("boris", invited_by="anna")

    send_due(at=NOON)

    referral = Referral.objects.get()
    (message,) = told(receiver)
    assert message["object"] == {"type": "referral", "id": referral.pk}
    assert message["data"]["referral_id"] == referral.pk
    assert message["data"]["member"]["external_id"] == "anna"
