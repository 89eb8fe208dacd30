from datetime import timedelta

import pytest

from referrals.tests.stage import NOON
from tenants import keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(client):
    """Ask for a member's referrals with a key of some tenant."""

    def get(name, tenant, *, scope="members:read", query=""):
        _row, key = keys.issue(tenant=tenant, environment="live", name="test", scopes=[scope], at=NOON)
        headers = {"Host": f"{tenant.slug}.localhost", "Authorization": f"Bearer {key}"}
        response = client.get(f"/api/v1/members/{name}/referrals{query}", headers=headers)
        return response.status_code, response.json()

    return get


def test_whom_a_member_invited_is_listed_the_newest_first(scene, anna, boris, acme, ask):
    click = scene.click(anna)
    vera = scene.member("vera")
    first = scene.brings(anna, boris, qualified_at=NOON + timedelta(days=1))
    second = scene.brings(anna, vera)

    status, answer = ask("anna", acme)

    assert click.campaign_id is None
    assert status == 200
    assert answer["next_cursor"] is None
    assert [{**each, "attributed_at": None} for each in answer["data"]] == [
        {
            "id": second.pk,
            "inviter": "anna",
            "inviter_id": anna.pk,
            "code": click.code.text,
            "invitee": "vera",
            "invitee_id": vera.pk,
            "status": "joined",
            "attributed_at": None,
            "qualified_at": None,
            "channel": "",
            "campaign_id": None,
        },
        {
            "id": first.pk,
            "inviter": "anna",
            "inviter_id": anna.pk,
            "code": click.code.text,
            "invitee": "boris",
            "invitee_id": boris.pk,
            "status": "qualified",
            "attributed_at": None,
            "qualified_at": answer["data"][1]["qualified_at"],
            "channel": "",
            "campaign_id": None,
        },
    ]


def test_a_long_list_comes_in_pages(scene, anna, acme, ask):
    for n in range(3):
        scene.brings(anna, scene.member(f"friend-{n}"))

    _, first = ask("anna", acme, query="?limit=2")
    _, second = ask("anna", acme, query=f"?limit=2&cursor={first['next_cursor']}")

    assert [each["invitee"] for each in first["data"] + second["data"]] == ["friend-2", "friend-1", "friend-0"]
    assert second["next_cursor"] is None


def test_a_member_of_another_tenant_is_not_found(scene, anna, bolt, ask):
    status, answer = ask("anna", bolt)

    assert (status, answer["code"]) == (404, "unknown_member")


def test_a_key_needs_the_scope(scene, anna, acme, ask):
    status, answer = ask("anna", acme, scope="rewards:read")

    assert (status, answer["code"]) == (403, "missing_scope")
