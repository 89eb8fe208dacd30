from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import connection
from django_tenants.utils import tenant_context

from core.db import transaction
from members.identities import prepare
from members.models import Identity, Member
from members.people import upsert
from tenants import keys

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "/api/v1/members"


def key_for(tenant, *scopes):
    _row, full = keys.issue(tenant=tenant, environment="live", name="test", scopes=scopes, at=NOON)
    return full


@pytest.fixture
def send(client, acme):
    """Post a member to Acme, as Acme's own program unless another key is given."""
    own_key = key_for(acme, "members:write")

    def post(body, *, key=own_key, slug="acme"):
        headers = {"Host": f"{slug}.{settings.BASE_DOMAIN}"} | ({"Authorization": f"Bearer {key}"} if key else {})
        response = client.post(ADDRESS, body, content_type="application/json", headers=headers)
        return response.status_code, response.json()

    return post


def test_a_new_member_is_created(send):
    status, answer = send({"external_id": "u-7", "email": "Anna@Example.com", "telegram": 4711, "card": None})

    anna = Member.objects.get()
    assert (status, answer) == (201, {"id": anna.pk, "external_id": "u-7", "created": True, "joined_at": None})
    assert sorted(Identity.objects.values_list("kind", flat=True)) == [
        "email",
        "email_alike",
        "external_id",
        "telegram",
    ]


def test_an_address_ties_and_names_nobody(send):
    _, anna = send({"external_id": "anna", "ip": "2001:db8:1:2::1"})
    _, boris = send({"external_id": "boris", "ip": "2001:db8:1:2::9"})

    status, _answer = send({"ip": "2001:db8:1:2::1"})

    assert (anna["created"], boris["created"], status) == (True, True, 400)
    kept = Identity.objects.filter(kind="ip")
    assert kept.values("lookup").distinct().count() == 1
    assert not Identity.objects.filter(kind__in=["ip", "subnet"], resolves=True).exists()
    assert "2001:db8" not in repr(list(Identity.objects.values_list("lookup", "value")))


def test_what_is_no_address_is_refused_with_its_place(send):
    status, answer = send({"external_id": "anna", "ip": "203.0.113"})

    assert (status, answer["code"]) == (400, "invalid_identity")
    assert [each["pointer"] for each in answer["errors"]] == ["/ip"]
    assert not Member.objects.exists()


def test_a_known_member_is_added_to(send):
    _, first = send({"external_id": "u-7"})

    status, answer = send({"external_id": "u-7", "phone": "8 921 123-45-67"})

    assert (status, answer) == (200, {**first, "created": False})
    assert Identity.objects.filter(member_id=first["id"], kind="phone", resolves=True).count() == 1


def test_the_answer_names_the_external_id_even_if_it_was_not_given(send):
    send({"external_id": "u-7", "telegram": 4711})

    assert send({"telegram": 4711})[1]["external_id"] == "u-7"
    assert send({"telegram": 4712})[1]["external_id"] is None


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({}, "nobody_named", ""),
        ({"card": "tok_1"}, "nobody_named", ""),
        ({"external_id": "u-7", "vk": "1"}, "unknown_kind", "/vk"),
        ({"external_id": "u-7", "email": "anna"}, "invalid_identity", "/email"),
        ({"external_id": "u-7", "phone": ["1"]}, "invalid_identity", "/phone"),
        ({"external_id": "u-7", "card": "4111 1111 1111 1111"}, "raw_card_number", "/card"),
        ([], "invalid", ""),
    ],
)
def test_what_makes_no_sense_is_pointed_at_and_leaves_nothing(send, body, code, pointer):
    status, problem = send(body)

    assert (status, problem["code"]) == (400, code)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert not Member.objects.exists()


def test_a_key_that_may_only_read_creates_nobody(send, acme):
    status, problem = send({"external_id": "u-7"}, key=key_for(acme, "members:read"))

    assert (status, problem["code"], problem["required_scope"]) == (403, "missing_scope", "members:write")
    assert not Member.objects.exists()


def test_without_a_key_nobody_is_created(send):
    status, problem = send({"external_id": "u-7"}, key=None)

    assert (status, problem["code"]) == (401, "not_authenticated")
    assert not Member.objects.exists()


def test_the_other_tenants_key_reaches_nobody_here(send, bolt):
    status, problem = send({"external_id": "u-7"}, key=key_for(bolt, "members:write"))

    assert (status, problem["code"]) == (401, "authentication_failed")


def test_the_same_person_in_two_tenants_is_two_members(send, acme, bolt):
    send({"external_id": "u-7", "email": "anna@example.com"})
    send({"external_id": "u-7", "email": "anna@example.com"}, key=key_for(bolt, "members:write"), slug="bolt")

    lookups = set()
    for tenant in (acme, bolt):
        with tenant_context(tenant):
            assert Member.objects.count() == 1
            lookups.add(Identity.objects.get(kind="email").lookup)
    assert len(lookups) == 2


@pytest.mark.django_db(transaction=True)
def test_one_person_told_of_many_times_at_once_is_one_member(stage):
    acme = stage["acme"].tenant

    def tell(number):
        with tenant_context(acme):
            given = {"external_id": "u-7", "email": f"anna{number}@example.com"}
            identities = prepare(schema=acme.schema_name, identities=given, region=None)
            with transaction():
                found = upsert(schema=acme.schema_name, identities=identities, at=NOON)
        connection.close()
        return found

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(tell, range(16)))

    assert len({each.member.pk for each in told}) == 1
    assert [each.created for each in told].count(True) == 1
    assert Identity.objects.filter(kind="email").count() == 16
