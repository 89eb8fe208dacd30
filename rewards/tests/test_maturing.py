from datetime import timedelta

import pytest

from events.models import Event
from rewards import ledger, maturing, tasks
from rewards.models import Posting, Reward
from rewards.tests.stage import NOON, Stage, status_of
from tenants import context

pytestmark = pytest.mark.django_db


def test_what_is_due_is_paid_and_told(scene, anna):
    event = scene.event()
    reward_id = scene.owe(anna, event_id=event.pk)

    assert maturing.release_due(schema="t_acme", limit=10, at=NOON) == 1

    assert status_of(reward_id) == "granted"
    fact = Event.objects.get(kind="reward.granted")
    assert (fact.member, fact.cause, fact.depth) == (anna, event, 1)
    what = {"points": 100, "given": 100, "kind": "points", "what": "", "asset": "points"}
    assert fact.data == {"reward_id": reward_id, "campaign_id": scene.campaign.pk, **what}
    assert maturing.release_due(schema="t_acme", limit=10, at=NOON) == 0


def test_only_what_is_pending_is_ever_due(scene, anna):
    for status in ("flagged", "granted"):
        scene.owe(anna, status=status)
    assert not maturing.is_due(at=NOON)

    scene.owe(anna, matures_at=NOON)

    assert maturing.is_due(at=NOON)
    assert not maturing.is_due(at=NOON - timedelta(microseconds=1))


def test_the_task_pays_in_every_tenant_and_says_when_one_fails(scene, anna, bolt, caplog):
    scene.owe(anna)
    with context.in_tenant(bolt.schema_name):
        stage = Stage()
        rewarded = stage.member("bob")
        stage.owe(rewarded)

    tasks.release_matured()

    assert ledger.balance_of(member_id=anna.pk) == 100
    with context.in_tenant(bolt.schema_name):
        assert ledger.balance_of(member_id=rewarded.pk) == 100
        assert Posting.objects.count() == 1
    assert caplog.records == []


def test_the_task_says_where_the_ledger_does_not_add_up(scene, anna, caplog):
    scene.owe(anna, status="granted")
    tasks.verify_ledgers()
    assert caplog.records == []

    scene.owe(anna, status="granted")
    Reward.objects.update(reversed=1)
    tasks.verify_ledgers()

    assert [record.tenant for record in caplog.records] == ["acme", "acme"]
