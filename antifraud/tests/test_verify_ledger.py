from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.db import execute
from rewards.models import Redemption
from rewards.tests.stage import NOON, Stage
from rewards.tests.test_repairs import owed
from tenants import context

pytestmark = pytest.mark.django_db


def verify(*args):
    out = StringIO()
    try:
        call_command("verify_ledger", *args, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), None


def test_says_that_everything_adds_up(acme):
    stage = Stage()
    stage.owe(stage.member("anna"), status="granted")

    said, failed = verify()

    assert failed is None
    assert said.startswith("Everything adds up in ")


def test_prints_each_difference_of_each_tenant_and_fails(acme, bolt):
    for tenant in (acme, bolt):
        with context.in_tenant(tenant.schema_name):
            stage = Stage()
            stage.owe(stage.member("anna"), status="granted")
            execute("UPDATE rewards_reward SET reversed = 1")

    said, failed = verify()

    assert [line.partition(",")[0] for line in said.splitlines()] == [
        "acme: Posted for a reward",
        "bolt: Posted for a reward",
    ]
    assert failed.startswith("2 differences in ")


def test_looks_at_one_tenant_where_one_is_named(acme, bolt):
    with context.in_tenant(bolt.schema_name):
        stage = Stage()
        stage.owe(stage.member("anna"), status="granted")
        execute("UPDATE rewards_reward SET reversed = 1")

    assert verify("--tenant=acme") == ("Everything adds up in 1 tenants.\n", None)
    assert verify("--tenant=bolt")[1] == "1 differences in 1 tenants."
    assert verify("--tenant=nobody") == ("", "There is no tenant nobody.")


def test_looks_at_several_tenants_where_several_are_named(acme, bolt):
    assert verify("--tenant", "acme", "bolt") == ("Everything adds up in 2 tenants.\n", None)
    assert verify("--tenant", "bolt", "nobody", "none") == ("", "There is no tenant nobody, none.")


def test_prints_what_is_wrong_with_lots_balances_and_what_is_set_aside(acme):
    stage = Stage()
    anna = stage.member("anna")
    stage.owe(anna, status="granted")
    execute("UPDATE rewards_lot SET remaining = 90")
    Redemption.objects.create(
        key="r", purpose="order", member=anna, asset=stage.points, amount=20, status="reserved", created_at=NOON
    )

    said, failed = verify("--tenant=acme")

    assert [line.partition(",")[0] for line in said.splitlines()] == [
        "acme: Lots of an account",
        "acme: Lot of each earning",
        "acme: Set aside for redemptions",
        "acme: Spent for a redemption",
    ]
    assert failed == "4 differences in 1 tenants."


def test_lets_lots_follow_what_was_posted_during_an_upgrade_where_it_is_asked_to(acme):
    stage = Stage()
    owed(stage, stage.member("anna"))

    assert verify("--tenant=acme")[1] == "2 differences in 1 tenants."
    said, failed = verify("--tenant=acme", "--repair")

    assert (said, failed) == ("acme: lots of 1 accounts repaired.\nEverything adds up in 1 tenants.\n", None)
