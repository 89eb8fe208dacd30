from datetime import UTC, datetime

import pytest
from django.db import connection

from events.models import Event
from tenants import context, provisioning
from tenants.models import Tenant
from tests.stage import sweep

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record_event():
    Event.objects.create(
        source="api", key="1", kind="check_in", fingerprint="0" * 64, occurred_at=NOON, received_at=NOON
    )


def test_acme_is_current_and_empty(acme):
    assert connection.schema_name == "t_acme"
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_a_race_has_committed_is_swept_away(stage):
    tenants = set(Tenant.objects.values_list("slug", flat=True))
    record_event()
    provisioning.create(name="New", slug="new", time_zone="UTC", currency="USD", language="en", at=NOON)
    Tenant.objects.filter(slug="bolt").update(name="Nut")

    sweep()

    assert set(Tenant.objects.values_list("slug", flat=True)) == tenants
    assert Tenant.objects.get(slug="bolt").name == "Bolt"
    with context.in_tenant("t_acme"):
        assert not Event.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 't_new%'")
        assert cursor.fetchone() == (0,)
