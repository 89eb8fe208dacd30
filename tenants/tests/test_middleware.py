"""Where a host name leads."""

import pytest

from tenants import context, hosts, standing
from tenants.models import Domain

pytestmark = pytest.mark.django_db


def test_an_unknown_host_is_not_found(client_of):
    answer = client_of("nobody.localhost").get("/api/whose")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unknown_host"


def test_an_unknown_host_shows_people_a_page(client_of):
    answer = client_of("nobody.localhost").get("/admin/", headers={"accept-language": "en"})

    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.content.decode()


def test_an_unknown_host_is_asked_of_the_database_once(client_of, django_assert_num_queries):
    client = client_of("nobody.localhost")
    client.get("/")

    with django_assert_num_queries(0):
        client.get("/")


@pytest.mark.parametrize("host", ["template.localhost", "public.localhost", "t_acme.localhost"])
def test_no_host_leads_to_a_schema_that_is_no_tenants(client_of, host):
    assert client_of(host).get("/admin/").status_code in {400, 404}


def test_a_suspended_tenants_pages_are_closed_and_its_sandboxs_too(client_of, acme):
    with context.in_public():
        standing.suspend(tenant=acme)

    answers = [client_of(host).get("/api/whose") for host in ("acme.localhost", "acme-sandbox.localhost")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "tenant_suspended")] * 2
    assert client_of("acme.localhost").get("/admin/login/").status_code == 403
    assert client_of("bolt.localhost").get("/admin/login/").status_code == 200


def test_a_resumed_tenant_is_served_again(client_of, acme):
    with context.in_public():
        standing.suspend(tenant=acme)
        standing.resume(tenant=acme)

    assert client_of("acme.localhost").get("/admin/login/").status_code == 200


def test_a_tenant_is_suspended_once(acme):
    with context.in_public():
        standing.suspend(tenant=acme)
        with pytest.raises(standing.StandingUnchanged):
            standing.suspend(tenant=acme)


def test_a_sandbox_stands_as_its_tenant_does(acme):
    with context.in_public(), pytest.raises(standing.StandingUnchanged):
        standing.suspend(tenant=acme.sandbox)


def test_a_domain_of_a_tenants_own_leads_to_it(client_of, stage, bolt):
    Domain.objects.create(domain="club.example.com", tenant=bolt, is_primary=False)
    hosts.forget()

    answer = client_of("club.example.com", stage["bolt"].live_key).get("/api/whose")

    assert answer.json()["tenant"] == "bolt"


def test_a_tenants_time_zone_and_language_rule(client_of, stage):
    answer = client_of("bolt.localhost", stage["bolt"].live_key).get("/api/whose", headers={"accept-language": "ru"})

    assert (answer.json()["zone"], answer.json()["language"]) == ("America/New_York", "en")
