"""From where and until when a key opens anything, and who hears of it when it does not."""

from datetime import UTC, datetime, timedelta

import pytest

from core.db import execute, transaction
from tenants import context, key_uses, keys
from tenants.models import ApiKey
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(days=1)
NOT_VALID_HERE = (401, "authentication_failed")


@pytest.fixture(autouse=True)
def _nothing_was_noted():
    key_uses.forget()
    yield
    key_uses.forget()


def issue(tenant, **changed) -> tuple[ApiKey, str]:
    wish = {"environment": "live", "name": "Shop", "scopes": ["members:read"]}
    return keys.issue(tenant=tenant, **{**wish, **changed}, at=NOW - timedelta(days=30))


def ask(client_of, full, *, address="203.0.113.7", **headers):
    return client_of("acme.localhost", full).get("/api/whose", headers=headers, REMOTE_ADDR=address)


def refusal(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def replaced(tenant, *, ended: timedelta, **changed) -> tuple[ApiKey, str]:
    """Return a key that was replaced, and ended so long ago."""
    key, full = issue(tenant, **changed)
    with transaction():
        keys.rotate(key=key, overlap=timedelta(), at=NOW - ended)
    keys.forget()
    return ApiKey.objects.get(id=key.id), full


# Networks


@pytest.mark.parametrize(
    ("address", "status"),
    [("203.0.113.7", 200), ("203.0.114.7", 401), ("2001:db8::9", 200), ("::ffff:203.0.113.9", 200), ("", 401)],
)
def test_a_key_is_only_good_in_its_networks(client_of, acme, address, status):
    __, full = issue(acme, allowed_networks=["203.0.113.0/24", "2001:db8::/32"])

    assert ask(client_of, full, address=address).status_code == status


def test_from_elsewhere_it_is_refused_in_the_same_words_and_the_log_says_from_where(client_of, acme, caplog):
    key, full = issue(acme, allowed_networks=["198.51.100.0/24"])

    answers = [ask(client_of, full) for _ in range(3)]

    assert {refusal(answer) for answer in answers} == {NOT_VALID_HERE}
    told = [record.getMessage() for record in caplog.records if record.name == "tenants.key_uses"]
    assert told == [f"The API key sk_live_{key.prefix}_… was sent from 203.0.113.7, which its networks do not have."]
    assert full not in caplog.text


def test_behind_a_proxy_the_callers_word_for_its_address_counts_for_nothing(client_of, acme, settings):
    settings.HTTPS = True
    __, full = issue(acme, allowed_networks=["198.51.100.0/24"])

    forged = {"x-forwarded-for": "198.51.100.1, 203.0.113.7", "x-forwarded-proto": "https"}
    true = {"x-forwarded-for": "203.0.113.7, 198.51.100.1", "x-forwarded-proto": "https"}

    assert ask(client_of, full, **forged).status_code == 401
    assert ask(client_of, full, **true).status_code == 200


def test_where_a_key_was_used_last_is_written_down(client_of, acme):
    key, full = issue(acme)

    ask(client_of, full)

    key.refresh_from_db()
    assert key.last_used_from == "203.0.113.7"
    assert NOW <= key.last_used_at <= datetime.now(UTC)


# Keys that have ended


def test_a_revoked_key_that_is_tried_is_noted_without_an_alarm(client_of, acme):
    key, full = issue(acme)
    keys.revoke(key=key, at=YESTERDAY)

    assert refusal(ask(client_of, full)) == NOT_VALID_HERE

    key.refresh_from_db()
    assert (key.refused_from, key.last_used_at) == ("203.0.113.7", None)
    assert not key_uses.list_alarms(tenant=acme, at=key.refused_at).exists()
    with context.in_tenant("t_acme"):
        assert not AuditEntry.objects.exists()


def test_a_replaced_key_that_is_tried_gives_the_alarm_once(client_of, acme, caplog):
    key, full = replaced(acme, ended=timedelta(hours=1))

    for _ in range(3):
        assert refusal(ask(client_of, full)) == NOT_VALID_HERE

    key.refresh_from_db()
    at = key.refused_at
    assert list(key_uses.list_alarms(tenant=acme, at=at)) == [key]
    with context.in_tenant("t_acme"):
        entry = AuditEntry.objects.get()
    assert (entry.actor_kind, entry.action, entry.target) == (
        "system",
        "apikey.used_after_its_end",
        f"apikey:{key.id} {key}",
    )
    assert entry.changes == {"from": "203.0.113.7", "replaced_by": str(key.replaced_by)}
    told = [record for record in caplog.records if record.name == "tenants.key_uses"]
    assert [record.levelname for record in told] == ["WARNING"]
    assert "is still used at" in told[0].getMessage()
    assert "from 203.0.113.7" in told[0].getMessage()
    assert full.split("_", 3)[3] not in caplog.text


def test_the_newest_attempt_is_what_is_shown_and_the_log_of_changes_has_the_first(acme):
    key, __ = replaced(acme, ended=timedelta(hours=1))
    known = keys.find(prefix=key.prefix)

    for minutes, address in ((0, "203.0.113.1"), (0.9, "203.0.113.2"), (1, "203.0.113.3"), (1.5, "203.0.113.4")):
        key_uses.note_refused(key=known, address=address, at=NOW + timedelta(minutes=minutes))

    key.refresh_from_db()
    assert (key.refused_at, key.refused_from) == (NOW + timedelta(minutes=1), "203.0.113.3")
    with context.in_tenant("t_acme"):
        assert AuditEntry.objects.get().changes["from"] == "203.0.113.1"


def test_another_process_does_not_write_within_the_minute(acme):
    key, __ = replaced(acme, ended=timedelta(hours=1))
    known = keys.find(prefix=key.prefix)
    key_uses.note_refused(key=known, address="203.0.113.1", at=NOW)
    key_uses.forget()

    key_uses.note_refused(key=known, address="203.0.113.2", at=NOW + timedelta(seconds=30))

    key.refresh_from_db()
    assert key.refused_from == "203.0.113.1"


def test_the_alarm_of_a_sandbox_is_written_into_its_own_log_and_shown_at_home(client_of, acme):
    key, full = replaced(acme, ended=timedelta(hours=1), environment="sandbox")

    ask(client_of, full)

    with context.in_tenant("t_acme_sandbox"):
        assert AuditEntry.objects.get().action == "apikey.used_after_its_end"
    with context.in_tenant("t_acme"):
        assert not AuditEntry.objects.exists()
    assert list(key_uses.list_alarms(tenant=acme, at=NOW)) == [key]


def test_an_alarm_is_another_tenants_business_and_ends_after_a_week(client_of, acme, bolt):
    key, full = replaced(acme, ended=timedelta(hours=1))
    ask(client_of, full)
    key.refresh_from_db()

    assert not key_uses.list_alarms(tenant=bolt, at=key.refused_at).exists()
    assert key_uses.list_alarms(tenant=acme, at=key.refused_at + timedelta(days=6)).exists()
    assert not key_uses.list_alarms(tenant=acme, at=key.refused_at + timedelta(days=7)).exists()


def test_whoever_knows_only_the_prefix_raises_no_alarm(client_of, acme):
    key, full = replaced(acme, ended=timedelta(hours=1))
    forged = full[:-1] + ("A" if full[-1] != "A" else "B")

    assert refusal(ask(client_of, forged)) == NOT_VALID_HERE

    key.refresh_from_db()
    assert key.refused_at is None


def test_during_the_overlap_both_keys_are_good_and_there_is_no_alarm(client_of, acme):
    old, old_full = issue(acme)
    with transaction():
        __, full = keys.rotate(key=old, at=datetime.now(UTC))
    keys.forget()

    assert [ask(client_of, each).status_code for each in (old_full, full)] == [200, 200]

    old.refresh_from_db()
    assert (old.refused_at, old.last_used_from) == (None, "203.0.113.7")
    assert not key_uses.list_alarms(tenant=acme, at=NOW).exists()


def test_a_use_that_cannot_be_written_down_fails_no_request(client_of, acme, caplog):
    __, full = replaced(acme, ended=timedelta(hours=1))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE public.tenants_apikey ADD CONSTRAINT nobody_writes CHECK (refused_at IS NULL)")

    answer = ask(client_of, full)

    assert refusal(answer) == NOT_VALID_HERE
    assert "could not be written down" in caplog.text
