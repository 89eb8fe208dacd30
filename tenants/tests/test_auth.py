"""Which key opens what, and where it leads."""

from datetime import UTC, datetime, timedelta

import pytest

from tenants import context, key_uses, keys, standing
from tenants.models import ApiKey

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


def refusal(response) -> tuple[int, str, str]:
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"], response.headers.get("WWW-Authenticate", "")


NOT_VALID_HERE = (401, "authentication_failed", "Bearer")


@pytest.mark.parametrize(
    ("host", "kind", "tenant", "schema"),
    [
        ("acme.localhost", "live_key", "acme", "t_acme"),
        ("acme.localhost", "test_key", "acme-sandbox", "t_acme_sandbox"),
        ("acme-sandbox.localhost", "test_key", "acme-sandbox", "t_acme_sandbox"),
        ("localhost", "live_key", "acme", "t_acme"),
        ("127.0.0.1:8000", "test_key", "acme-sandbox", "t_acme_sandbox"),
        ("ACME.localhost.:8000", "live_key", "acme", "t_acme"),
    ],
)
def test_a_key_leads_to_its_own_schema(client_of, stage, host, kind, tenant, schema):
    key = getattr(stage["acme"], kind)

    answer = client_of(host, key).get("/api/whose")

    assert answer.json() == {
        "tenant": tenant,
        "schema": schema,
        "zone": "Europe/Moscow",
        "language": "ru",
        "key": key.split("_")[2],
    }


@pytest.mark.parametrize("kind", ["live_key", "test_key"])
@pytest.mark.parametrize("host", ["bolt.localhost", "bolt-sandbox.localhost"])
def test_a_key_is_refused_at_another_tenants_host(client_of, stage, host, kind):
    assert refusal(client_of(host, getattr(stage["acme"], kind)).get("/api/whose")) == NOT_VALID_HERE


def test_a_live_key_is_refused_in_the_sandbox(client_of, stage):
    assert refusal(client_of("acme-sandbox.localhost", stage["acme"].live_key).get("/api/whose")) == NOT_VALID_HERE


def test_one_request_leaves_nothing_of_its_tenant_to_the_next(client_of, stage):
    found = [
        client_of("localhost", stage[name].live_key).get("/api/whose").json()["schema"]
        for name in ("acme", "bolt", "acme")
    ]

    assert found == ["t_acme", "t_bolt", "t_acme"]
    assert refusal(client_of("localhost").get("/api/whose")) == (401, "not_authenticated", "Bearer")
    assert context.connection.schema_name == "public"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer sk_live_22222222_" + "x" * 43,
        "Bearer sk_live_22222222_" + "ж" * 43,
        "Basic c2tfbGl2ZQ==",
        "Bearer a b",
    ],
)
def test_what_is_no_key_is_refused_in_the_same_words(client_of, header):
    answer = client_of("acme.localhost").get("/api/whose", headers={"authorization": header})

    assert refusal(answer) == NOT_VALID_HERE


def test_the_right_prefix_with_a_wrong_secret_is_refused(client_of, stage):
    key = stage["acme"].live_key
    forged = key[:-1] + ("A" if key[-1] != "A" else "B")

    assert refusal(client_of("acme.localhost", forged).get("/api/whose")) == NOT_VALID_HERE


def test_a_key_whose_environment_was_rewritten_is_still_only_what_it_is(client_of, stage):
    renamed = stage["acme"].test_key.replace("sk_test_", "sk_live_")

    assert refusal(client_of("acme.localhost", renamed).get("/api/whose")) == NOT_VALID_HERE


def test_a_revoked_key_is_refused(client_of, acme):
    key, full = keys.issue(tenant=acme, environment="live", name="Shop", scopes=["members:read"], at=NOW)
    assert client_of("acme.localhost", full).get("/api/whose").status_code == 200

    keys.revoke(key=key, at=NOW)

    assert refusal(client_of("acme.localhost", full).get("/api/whose")) == NOT_VALID_HERE


def test_an_expired_key_is_refused(client_of, acme):
    __, full = keys.issue(
        tenant=acme,
        environment="live",
        name="Shop",
        scopes=["members:read"],
        expires_at=NOW - timedelta(seconds=1),
        at=NOW - timedelta(hours=1),
    )

    assert refusal(client_of("acme.localhost", full).get("/api/whose")) == NOT_VALID_HERE


def test_a_key_without_the_scope_is_denied(client_of, acme):
    __, full = keys.issue(tenant=acme, environment="live", name="Shop", scopes=["events:write"], at=NOW)

    answer = client_of("acme.localhost", full).get("/api/whose")

    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_scope"


@pytest.mark.parametrize("host", ["acme.localhost", "acme-sandbox.localhost", "localhost"])
def test_no_key_of_a_suspended_tenant_opens_anything(client_of, stage, acme, host):
    with context.in_public():
        standing.suspend(tenant=acme)

    for key in (stage["acme"].live_key, stage["acme"].test_key):
        assert refusal(client_of(host, key).get("/api/whose"))[:2] in [(403, "tenant_suspended")] + (
            [] if host == "localhost" else [(401, "authentication_failed")]
        )
    assert client_of("localhost", stage["bolt"].live_key).get("/api/whose").status_code == 200


def test_a_key_that_is_remembered_costs_no_statement(client_of, stage, django_assert_num_queries):
    client = client_of("acme.localhost", stage["acme"].live_key)
    client.get("/api/whose")

    with django_assert_num_queries(0):
        assert client.get("/api/whose").status_code == 200


def test_the_use_of_a_key_is_written_down_once_a_minute(client_of, acme):
    key, full = keys.issue(tenant=acme, environment="live", name="Shop", scopes=["members:read"], at=NOW)
    client_of("acme.localhost", full).get("/api/whose")
    used_at = ApiKey.objects.get(id=key.id).last_used_at
    known = keys.find(prefix=key.prefix)

    key_uses.note(key=known, address="203.0.113.9", at=used_at + timedelta(seconds=59))
    assert ApiKey.objects.get(id=key.id).last_used_at == used_at

    key_uses.note(key=known, address="203.0.113.9", at=used_at + timedelta(seconds=60))
    assert ApiKey.objects.get(id=key.id).last_used_at == used_at + timedelta(seconds=60)


def test_no_secret_is_stored(stage, acme):
    secret = stage["acme"].live_key.split("_", 3)[3]

    row = ApiKey.objects.filter(tenant=acme).values().get()

    assert secret not in str(row)
    assert len(row["secret_hash"]) == 64


def test_a_key_says_what_it_is_without_its_secret(stage):
    prefix = stage["acme"].live_key.split("_")[2]

    known = keys.find(prefix=prefix)

    assert (str(known), known.start) == (f"{known.name} ({prefix})", f"sk_live_{prefix}_")
