"""What every reading operation lets one say: `fields`, `expand`, `If-None-Match`; and what it says of its own end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers
from rest_framework.response import Response

from core.http.deprecations import NOTICE, Deprecation
from rewards.models import Reward
from tenants.tests.test_views import Things, send
from tenants.views import TenantView
from tests.cast import Shop, make_campaign
from tests.people import flag
from tests.programs import program_of

pytestmark = pytest.mark.django_db

SCOPES = ("rewards:read", "members:read", "events:read", "campaigns:read", "cases:read", "members:write")
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def shop(acme):
    make_campaign(rule={"recipient": "actor", "order_number": "any"})
    shop = Shop()
    for name in ("anna", "boris", "clara"):
        shop.joins(name)
        shop.pays(name, "500")
    return shop


@pytest.fixture
def program(shop, acme):
    return program_of(acme, *SCOPES)


def conditionally(program, address, etag):
    return program.client.get(address, headers=program.headers | {"If-None-Match": etag})


# What one has already


@pytest.mark.parametrize("address", ["/api/v1/rewards", "/api/v1/members/anna", "/api/v1/events?kind=order.paid"])
def test_an_answer_that_still_holds_is_not_sent_again(program, address):
    first = program.get(address)

    again = conditionally(program, address, first.headers["ETag"])

    assert (first.status_code, first.headers["Cache-Control"]) == (200, "private, no-cache")
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "Authorization" in again.headers["Vary"]
    assert "Content-Type" not in again.headers


def test_an_answer_that_has_changed_is_sent(program, shop):
    first = program.get("/api/v1/members/anna")
    shop.pays("anna", "500")

    again = conditionally(program, "/api/v1/members/anna", first.headers["ETag"])

    assert again.status_code == 200
    assert again.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(("of", "status"), [("W/{}", 304), ('"other", {}', 304), ("*", 304), ('"other"', 200)])
def test_the_etag_is_compared_weakly_and_among_several(program, of, status):
    etag = program.get("/api/v1/rewards").headers["ETag"]

    assert conditionally(program, "/api/v1/rewards", of.format(etag)).status_code == status


def test_the_headers_alone_have_the_same_etag(program):
    whole = program.get("/api/v1/rewards")
    head = program.client.head("/api/v1/rewards", headers=program.headers)

    assert (head.status_code, head.headers["ETag"]) == (200, whole.headers["ETag"])


def test_what_another_tenant_has_tells_nothing_here(program, bolt):
    etag = program.get("/api/v1/rewards").headers["ETag"]
    stranger = program_of(bolt, *SCOPES)

    assert conditionally(stranger, "/api/v1/rewards", etag).status_code == 200


def test_an_error_and_what_was_written_are_kept_by_nobody(program):
    refused = program.get("/api/v1/rewards/999999")
    written = program.post({"external_id": "dina"}, "/api/v1/members")

    assert [each.headers["Cache-Control"] for each in (refused, written)] == ["no-store", "no-store"]
    assert [each.has_header("ETag") for each in (refused, written)] == [False, False]


# A part of it


def test_only_what_is_asked_for_is_sent_of_each_row(program):
    told = program.get("/api/v1/rewards?fields=id,campaign.name").json()

    newest = Reward.objects.latest("pk")
    assert set(told) == {"data", "next_cursor"}
    assert told["data"][0] == {"id": newest.pk, "campaign": {"name": newest.campaign.name}}


def test_only_what_is_asked_for_is_sent_of_one_thing(program):
    told = program.get("/api/v1/members/anna?fields=external_id,balances.points.available").json()

    assert told == {"external_id": "anna", "balances": {"points": {"available": 100}}}


def test_the_whole_of_an_object_wins_over_a_part_of_it(program):
    whole = program.get("/api/v1/rewards?fields=campaign").json()["data"][0]

    for fields in ("campaign,campaign.id", "campaign.id,campaign"):
        assert program.get(f"/api/v1/rewards?fields={fields}").json()["data"][0] == whole


@pytest.mark.parametrize("fields", ["nothing", "id,nothing", "campaign.nothing", "id.x", "", "id,,kind", "."])
def test_a_field_that_there_is_not_is_refused_with_those_that_there_are(program, fields):
    refused = program.get(f"/api/v1/rewards?fields={fields}")

    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_field")
    assert {"id", "campaign", "campaign.name"} <= set(refused.json()["known"])
    assert [each["parameter"] for each in refused.json()["errors"]] == ["fields"]


# More than it


def test_the_member_the_campaign_and_the_event_of_each_reward_can_be_had_with_it(program):
    row = program.get("/api/v1/rewards?expand=member,campaign,event").json()["data"][0]

    assert row["expanded"]["member"]["external_id"] == row["member"]
    assert row["expanded"]["campaign"]["id"] == row["campaign"]["id"]
    assert row["expanded"]["campaign"]["status"] == "active"
    assert (row["expanded"]["event"]["id"], row["expanded"]["event"]["kind"]) == (row["event_id"], "order.paid")


def test_what_is_asked_for_twice_is_had_once(program):
    once, twice = (
        program.get(f"/api/v1/rewards?expand={names}").json() for names in ("event", "event,event,event,event,event")
    )

    assert twice == once


def test_each_expansion_costs_as_much_for_a_page_as_for_one_row(program):
    def statements(query):
        with CaptureQueriesContext(connection) as seen:
            assert program.get(f"/api/v1/rewards?{query}").status_code == 200
        return len(seen)

    statements("limit=1")
    plain = statements("limit=3")

    assert statements("limit=1&expand=member,campaign,event") == plain + 3
    assert statements("limit=3&expand=member,campaign,event") == plain + 3


def test_the_trace_of_each_event_can_be_had_with_the_list(program):
    rows = program.get("/api/v1/events?kind=order.paid&expand=trace,member").json()["data"]

    assert [row["expanded"]["member"]["external_id"] for row in rows] == ["clara", "boris", "anna"]
    for row in rows:
        assert row["expanded"]["trace"] == program.get(f"/api/v1/events/{row['id']}").json()["trace"]
        assert row["expanded"]["trace"][0]["outcome"] == "rewarded"


def test_the_rewards_of_a_case_can_be_had_with_the_list_of_cases(program, shop):
    make_campaign(name="Bring a friend", rule={"recipient": "both"})
    flag(shop, inviter="dina", friend="emil")

    (case,) = program.get("/api/v1/cases?expand=rewards").json()["data"]

    flagged = Reward.objects.filter(status="flagged").order_by("pk")
    assert [reward["id"] for reward in case["expanded"]["rewards"]] == [reward.pk for reward in flagged]


def test_what_is_expanded_can_be_sparse_too(program):
    row = program.get("/api/v1/rewards?expand=member&fields=id,expanded.member.status").json()["data"][0]

    assert row == {"id": Reward.objects.latest("pk").pk, "expanded": {"member": {"status": "active"}}}


@pytest.mark.parametrize(
    ("address", "of_list", "scope"),
    [
        ("rewards?expand=member", "rewards:read", "members:read"),
        ("rewards?expand=campaign", "rewards:read", "campaigns:read"),
        ("rewards?expand=event", "rewards:read", "events:read"),
        ("rewards/{reward}?expand=member", "rewards:read", "members:read"),
        ("purchases?expand=member", "rewards:read", "members:read"),
        ("redemptions?expand=member", "rewards:read", "members:read"),
        ("members/anna/rewards?expand=event", "members:read", "events:read"),
        ("events?kind=order.paid&expand=member", "events:read", "members:read"),
        ("cases?expand=rewards", "cases:read", "rewards:read"),
    ],
)
def test_whatever_is_expanded_takes_the_scope_to_read_it(shop, acme, address, of_list, scope):
    path = "/api/v1/" + address.format(reward=Reward.objects.latest("pk").pk)
    bare, program = program_of(acme, of_list), program_of(acme, of_list, scope)

    refused = bare.get(path)

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    assert refused.json()["required_scope"] == scope
    assert "anna" not in refused.content.decode()
    assert bare.get(path.partition("expand")[0].rstrip("?&")).status_code == 200
    assert program.get(path).status_code == 200


@pytest.mark.parametrize("expand", ["nothing", "member,nothing", "", "member.", "member,campaign,event,member,x"])
def test_what_cannot_be_expanded_is_refused_with_what_can(program, expand):
    refused = program.get(f"/api/v1/rewards?expand={expand}")

    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_expansion")
    assert refused.json()["known"] == ["member", "campaign", "event"]


def test_nothing_of_another_tenant_is_expanded(shop, bolt):
    number = Reward.objects.latest("pk").pk
    make = program_of(bolt, *SCOPES)

    assert make.get("/api/v1/rewards?expand=member").json()["data"] == []
    assert make.get(f"/api/v1/rewards/{number}?expand=member").status_code == 404


# Nothing unknown


@pytest.mark.parametrize(
    ("address", "unknown"),
    [
        ("rewards?stauts=granted", ["stauts"]),
        ("rewards?status=granted&a=1&b=2", ["a", "b"]),
        ("rewards/1?status=granted", ["status"]),
        ("rewards?Limit=5", ["Limit"]),
        ("levels?expand=member", ["expand"]),
        ("levels?cursor=x", ["cursor"]),
    ],
)
def test_a_parameter_that_there_is_not_is_refused_by_its_name(program, address, unknown):
    refused = program.get(f"/api/v1/{address}")

    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")
    assert [each["parameter"] for each in refused.json()["errors"]] == unknown


def test_a_filter_that_is_there_and_empty_is_no_missing_one(program):
    refused = program.get("/api/v1/rewards?status=")

    assert (refused.status_code, [each["parameter"] for each in refused.json()["errors"]]) == (400, ["status"])


def test_what_writes_takes_no_parameters(program):
    refused = program.post({"external_id": "dina"}, "/api/v1/members?dry_run=1")

    assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")


# What will go


ENDING = Deprecation(since=SINCE, sunset=SINCE + NOTICE, link="https://example.com/changes")
SOONER = ENDING._replace(sunset=SINCE + NOTICE - timedelta(days=1))


class OldThings(Things):
    deprecated = ENDING


class ThingsWithOldName(TenantView):
    authentication_classes = Things.authentication_classes
    required_scope = "things:read"
    deprecated_fields = {"size": SOONER, "weight": ENDING}

    class Output(serializers.Serializer[Any]):
        size = serializers.IntegerField()

    def get(self, request):
        return Response({"data": [{"size": 3, "length": 3}], "next_cursor": None})


def headers_of(view):
    from rest_framework.test import APIRequestFactory  # noqa: PLC0415

    request = APIRequestFactory().get("/api/v1/things?size=3", headers={"X-Scopes": "things:read"})
    return view.as_view()(request).headers


def test_an_operation_that_will_go_says_since_when_until_when_and_what_instead():
    told = headers_of(OldThings)

    assert told["Deprecation"] == f"@{int(SINCE.timestamp())}"
    assert told["Sunset"] == "Mon, 01 Mar 2027 00:00:00 GMT"
    assert told["Link"] == '<https://example.com/changes>; rel="deprecation"; type="text/html"'
    assert send("GET", view=OldThings, path="/api/v1/things?size=3")[0] == 200


def test_an_answer_with_a_field_that_will_go_says_so():
    assert headers_of(ThingsWithOldName)["Sunset"] == "Sun, 28 Feb 2027 00:00:00 GMT"


def test_what_stays_says_nothing_of_an_end():
    assert {"Deprecation", "Sunset", "Link"}.isdisjoint(headers_of(Things))
