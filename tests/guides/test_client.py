"""A client that is generated from the OpenAPI document does what it says: that proves the document true."""

import importlib
import subprocess
import sys
from uuid import UUID

import pytest
from django.core.management import call_command

PACKAGE = "sarafan_client"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("client") / "made"
    call_command("client", place, verbosity=0)
    return place


@pytest.fixture
def client(folder, reader, monkeypatch):
    """Return the client of a program with a test key, and what gives its modules by name."""
    monkeypatch.syspath_prepend(folder)
    package = importlib.import_module(PACKAGE)
    address = reader["SARAFAN_URL"].removesuffix("/api/v1")
    return package.AuthenticatedClient(base_url=address, token=reader["SARAFAN_KEY"])


def part(name):
    return importlib.import_module(f"{PACKAGE}.{name}")


def test_its_types_are_sound(folder):
    command = [sys.executable, "-m", "mypy", "--config-file=", "--python-version=3.11", "--no-incremental", PACKAGE]

    said = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 (our own checker)

    assert (said.returncode, said.stdout) == (0, said.stdout)


@pytest.mark.django_db(transaction=True)
def test_a_program_that_uses_it_reports_and_asks(client, handle):
    models = part("models")
    with client as sarafan:
        fixture = part("api.sandbox.create_sandbox_fixture").sync(
            client=sarafan, body=models.FixturesInput(name="referral")
        )
        made = part("api.members.create_member").sync_detailed(
            client=sarafan, body=models.MemberInput(external_id="anna"), idempotency_key="make-anna"
        )
        whole = part("api.members.get_member").sync("anna", client=sarafan)
        anna, boris = models.EventMember(external_id="anna"), models.EventMember(external_id="boris")
        batch = models.EventBatch(
            events=[
                models.MemberJoinedReport(
                    key="b1", kind="member.joined", member=boris, data=models.MemberJoinedReportData(code=whole.code)
                ),
                models.OrderPaidReport(
                    key="b2",
                    kind="order.paid",
                    member=boris,
                    data=models.OrderPaidReportData(order_id="1", amount_minor=4990, currency="USD"),
                ),
                models.CheckInReport(key="b3", kind="check_in", member=anna),
            ]
        )
        told = part("api.events.report_events").sync(client=sarafan, body=batch)
        handle()
        whole = part("api.members.get_member").sync("anna", client=sarafan)
        event = part("api.events.get_event").sync(told.events[1].id, client=sarafan)
        nobody = part("api.members.get_member").sync_detailed("nobody", client=sarafan)

    assert fixture.members == ["fixture-anna", "fixture-boris", "fixture-clara"]
    assert (made.status_code, made.parsed.created) == (201, True)
    assert [(each.key, each.status) for each in told.events] == [
        ("b1", "waiting"),
        ("b2", "waiting"),
        ("b3", "waiting"),
    ]
    assert whole.balances["points"].available == 500
    assert (whole.referrals.total, whole.referrals.qualified) == (1, 1)
    assert (event.status, [entry.outcome for entry in event.trace]) == ("handled", ["rewarded"])
    assert (nobody.status_code, nobody.parsed.code) == (404, "unknown_member")
    assert UUID(nobody.parsed.request_id)
