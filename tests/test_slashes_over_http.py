"""A slash in somebody's id, sent to a real server: only that knows what was sent."""

import pytest
from django.conf import settings

from members.models import Member
from tenants import keys
from tests.cast import NOON, Shop
from tests.serving import served

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_has_a_slash_in_their_id_is_erased_and_the_ban_of_another_stands(acme):
    shop = Shop()
    for name in ("team", "team/ban"):
        shop.joins(name)
    _row, key = keys.issue(tenant=acme, environment="live", name="test", scopes=["members:write"], at=NOON)
    asked = {"host": f"acme.{settings.BASE_DOMAIN}", "Authorization": f"Bearer {key}"}

    with served() as server:
        banned = server.ask("PUT", "/api/v1/members/team/ban", body={"note": "Fraud"}, **asked)
        erased = server.ask("DELETE", "/api/v1/members/team%2Fban", **asked)

    assert (banned.status, erased.status) == (200, 204)
    assert list(Member.objects.order_by("pk").values_list("status", flat=True)) == ["blocked", "erased"]


def test_so_are_they_where_the_whole_address_is_sent_as_to_a_proxy(acme):
    shop = Shop()
    for name in ("team", "team/ban"):
        shop.joins(name)
    _row, key = keys.issue(tenant=acme, environment="live", name="test", scopes=["members:write"], at=NOON)
    host = f"acme.{settings.BASE_DOMAIN}"
    asked = {"host": host, "Authorization": f"Bearer {key}"}

    with served() as server:
        banned = server.ask("PUT", f"http://{host}/api/v1/members/team/ban", body={"note": "Fraud"}, **asked)
        erased = server.ask("DELETE", f"http://{host}/api/v1/members/team%2Fban", **asked)

    assert (banned.status, erased.status) == (200, 204)
    assert list(Member.objects.order_by("pk").values_list("status", flat=True)) == ["blocked", "erased"]
