"""What the fuzzer has found in the reference: one test for each, in words."""

import json

import pytest
from jsonschema import Draft202012Validator

from config import openapi, reference
from events import openapi as events
from tenants import keys
from tests.cast import Shop
from tests.programs import program_of


@pytest.fixture(scope="module")
def document():
    return json.loads(json.dumps(reference.document(), default=str))


def parameter(document, path, name):
    return next(each for each in document["paths"][path]["get"]["parameters"] if each["name"] == name)["schema"]


def errors(document, path, answer):
    place = f"#/paths/{path.replace('/', '~1')}/get/responses/200/content/application~1json/schema"
    return [error.message for error in Draft202012Validator({**document, "$ref": place}).iter_errors(answer)]


def test_whom_an_event_is_about_has_the_shape_that_the_reference_tells(acme, document):
    event = Shop().joins("anna")
    program = program_of(acme, *keys.ALL_SCOPES)

    listed, one = program.get("/api/v1/events").json(), program.get(f"/api/v1/events/{event.pk}").json()

    assert one["member"] == {"id": event.member_id, "external_id": "anna"}
    assert errors(document, "/api/v1/events", listed) == []
    assert errors(document, "/api/v1/events/{event_id}", one) == []


def test_two_shapes_never_share_a_name():
    name = next(iter(events.SHAPES))
    result = {"paths": {}, "components": {"schemas": {name: {"type": "object"}}}}

    with pytest.raises(ValueError, match=name):
        openapi.complete(result)


def test_fields_names_each_that_there_is_and_what_has_no_fixed_names(document):
    one = Draft202012Validator(parameter(document, "/api/v1/members/{external_id}", "fields")["items"])

    assert one.is_valid("referrals.total")
    assert one.is_valid("balances")
    assert one.is_valid("balances.points")
    assert not one.is_valid("referrals.nothing")
    assert not one.is_valid("nothing")


def test_what_must_not_be_empty_is_told_so_of_what_is_sent_only(document):
    shapes = document["components"]["schemas"]

    sent = document["paths"]["/api/v1/adjustments"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    assert shapes[sent["$ref"].rpartition("/")[2]]["properties"]["reason"]["minLength"] == 1
    assert "minLength" not in shapes["EventProgress"]["properties"]["key"]


@pytest.mark.parametrize("shape", ["MemberInput", "MemberSearchInput", "Known"])
def test_an_identity_may_be_a_number_and_is_told_so(document, shape):
    told = document["components"]["schemas"][shape]["properties"]

    assert told["telegram"]["type"] == told["external_id"]["type"] == ["string", "integer", "null"]


def test_nothing_is_told_to_be_the_default_that_would_be_refused(document):
    sent = document["paths"]["/api/v1/redemptions"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    members = document["components"]["schemas"][sent["$ref"].rpartition("/")[2]]["properties"]

    assert members["order_id"] == {"type": "string", "minLength": 1, "maxLength": 100}
    assert members["asset"]["default"] == "points"


def test_what_was_made_leads_to_what_can_be_asked_of_it(document):
    made = document["paths"]["/api/v1/redemptions"]["post"]["responses"]["201"]["links"]

    assert made["get_redemption"] == {
        "operationId": "get_redemption",
        "parameters": {"redemption_id": "$response.body#/id"},
    }
    assert len(made) == 4


def test_what_is_listed_beneath_something_leads_on_with_both_ids(document):
    listed = document["paths"]["/api/v1/webhooks/{webhook_id}/deliveries"]["get"]["responses"]["200"]["links"]

    assert listed["get_webhook_delivery"]["parameters"] == {
        "webhook_id": "$request.path.webhook_id",
        "delivery_id": "$response.body#/data/0/id",
    }


def test_whoever_has_a_name_of_their_own_is_asked_for_by_it(document):
    made = document["paths"]["/api/v1/members"]["get"]["responses"]["200"]["links"]

    assert {json.dumps(link["parameters"]) for link in made.values()} == {
        '{"external_id": "$response.body#/data/0/external_id"}'
    }


def test_every_link_leads_to_an_operation_and_names_its_parameters(document):
    by_id = {
        operation["operationId"]: {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        for operations in document["paths"].values()
        for operation in operations.values()
    }
    found = [
        link
        for operations in document["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]

    assert len(found) > 50
    assert [each for each in found if set(each["parameters"]) != by_id[each["operationId"]]] == []
