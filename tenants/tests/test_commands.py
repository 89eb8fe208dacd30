"""What somebody at the machine types."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.db import execute
from tenants import audit, context, keys
from tenants.management.commands import create_key, create_tenant, migrate_all, verify_audit
from tenants.models import Tenant
from tenants.staff.models import AuditEntry

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 17, 12, 0, tzinfo=UTC)


def run(module, *args: str) -> str:
    out = StringIO()
    call_command(module.Command(stdout=out, stderr=out), *args)
    return out.getvalue()


def test_create_tenant_prints_what_is_shown_once():
    with context.in_public():
        said = run(create_tenant, "--no-input", "--name=Corner", "--slug=corner", "--currency=EUR")

    lines = dict(line.split(maxsplit=1) for line in said.replace("key", "").splitlines()[1:])
    assert said.startswith("Corner is ready (")
    assert keys.find(prefix=lines["Live"].split("_")[2]).tenant == Tenant.objects.get(slug="corner")
    assert keys.find(prefix=lines["Test"].split("_")[2]).tenant == Tenant.objects.get(slug="corner-sandbox")
    with context.in_public():
        assert AuditEntry.objects.get().action == "tenant.added"


def test_create_tenant_asks_for_what_no_flag_says(monkeypatch):
    answers = {
        "Name of the business: ": "Corner",
        "Short name, for its address: ": "corner",
        "Time zone [UTC]: ": "Asia/Tokyo",
        "Currency [USD]: ": "",
        "Language [en]: ": "ru",
        "First admin's user name [admin]: ": "olga",
    }
    monkeypatch.setattr("builtins.input", answers.__getitem__)
    monkeypatch.setattr(create_tenant, "getpass", lambda _question: "correct horse battery")

    with context.in_public():
        said = run(create_tenant)

    made = Tenant.objects.get(slug="corner")
    assert (made.name, made.time_zone, made.currency, made.language) == ("Corner", "Asia/Tokyo", "USD", "ru")
    assert "olga" in said
    assert "correct horse battery" in said


def test_create_tenant_says_what_is_wrong_and_makes_nothing():
    with pytest.raises(CommandError, match=r"slug: This name is reserved\."), context.in_public():
        run(create_tenant, "--no-input", "--name=Www", "--slug=www")

    assert not Tenant.objects.filter(slug="www").exists()


def test_create_key_prints_a_key_that_works(acme):
    with context.in_public():
        full = run(create_key, "acme", "--environment=test", "--scope=events:write").strip()

    known = keys.find(prefix=full.split("_")[2])
    assert (known.tenant, known.scopes) == (acme.sandbox, {"events:write"})
    with context.in_tenant("t_acme"):
        assert AuditEntry.objects.get().action == "apikey.added"
        assert full.split("_", 3)[3] not in str(AuditEntry.objects.values().get())


def test_create_key_knows_its_tenants():
    with pytest.raises(CommandError, match="There is no tenant nobody"), context.in_public():
        run(create_key, "nobody")


def test_migrate_all_says_that_there_is_nothing_to_do():
    assert run(migrate_all) == "Every schema is up to date.\n"


def test_verify_audit_prints_the_heads(acme):
    audit.record(actor_kind="system", actor="test", action="a.b", target="c", changes={}, at=NOON)

    said = run(verify_audit)

    assert f"t_acme: {audit.head()}\n" in said
    assert f"t_bolt: {audit.FIRST_HASH}\n" in said
    assert f"public: {audit.FIRST_HASH}\n" in said


def test_verify_audit_fails_where_a_log_was_tampered_with(acme):
    audit.record(actor_kind="system", actor="test", action="a.b", target="c", changes={}, at=NOON)
    execute("SET LOCAL session_replication_role = replica")
    execute("UPDATE staff_auditentry SET actor = 'nobody'")

    with pytest.raises(CommandError, match=r"Tampered with: t_acme\."):
        run(verify_audit)
