import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.db import transaction
from events import facts
from events.facts import Fact
from events.models import Event
from events.tests.bodies import joined, order, pointers
from members.models import Identity, Member
from tests.programs import Program, host_of, program_of


def problem(response):
    """Return the status and the code of a problem document."""
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


# One event


def test_an_event_is_taken(shop):
    response = shop.post(joined())

    event = Event.objects.get()
    assert (response.status_code, response.json()) == (202, {"id": event.pk, "key": "joined-1", "status": "waiting"})
    assert response["Location"] == f"/api/v1/events/{event.pk}"


def test_a_repeat_gets_the_first_answer_again(shop):
    first = shop.post(joined()).json()
    Event.objects.update(status="handled")

    response = shop.post(joined())

    assert (response.status_code, response.json()) == (202, {**first, "replayed": True})
    assert Event.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(shop):
    first = shop.post(joined()).json()

    response = shop.post(joined(data={"code": "X"}))

    assert problem(response) == (422, "key_reused")
    assert response.json()["event_id"] == first["id"]


def test_an_order_under_another_key_is_refused(shop):
    first = shop.post(order("1001")).json()

    response = shop.post(order("1001", key="other"))

    assert problem(response) == (409, "order_already_reported")
    assert (response.json()["event_id"], response.json()["key"]) == (first["id"], "paid-1001")


def test_what_is_wrong_is_answered_with_its_place(shop):
    response = shop.post(joined(kind="order.paid", data={"order_id": "1"}))

    assert problem(response) == (400, "invalid_event")
    assert pointers(response.json()) == ["/data/amount_minor", "/data/currency"]
    assert not Event.objects.exists()


def test_the_number_of_a_card_is_refused(shop):
    response = shop.post(joined(member={"external_id": "anna", "card": "4111-1111-1111-1111"}))

    assert problem(response) == (400, "raw_card_number")
    assert pointers(response.json()) == ["/member/card"]
    assert "4111" not in response.content.decode()


@pytest.mark.parametrize("body", ["", "[]", "7", '"x"', "null", "{}"])
def test_what_is_no_event_is_refused(shop, body):
    assert problem(shop.post(body)) == (400, "invalid_event")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"key": NaN}',
        b'{"key": Infinity}',
        b'{"key": 1e999}',
        b'{"key": "a", "key": "b"}',
        b'{"key": "\\u0000"}',
        b'{"key": "\\ud800"}',
        b'{"data": ' + b"[" * 11 + b"]" * 11 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_not_plain_json_is_refused(shop, body):
    assert problem(shop.post(body)) == (400, "malformed_json")


def test_a_body_of_more_than_a_mebibyte_is_refused(shop):
    assert problem(shop.post(json.dumps(joined(data={"code": "x" * 2**20})))) == (413, "body_too_large")


def test_only_json_is_read(shop):
    assert problem(shop.post("key=k", content_type="application/x-www-form-urlencoded"))[0] == 415


# A batch


def test_of_a_batch_the_good_are_taken_and_the_bad_are_reported(shop):
    shop.post(order("1"))
    batch = [joined("a"), order("2", occurred_at="soon"), joined("a"), order("1", key="c"), joined("a", data={}), None]

    response = shop.post({"events": batch})

    taken = Event.objects.get(key="a")
    answers = response.json()["events"]
    assert response.status_code == 202
    assert [answer["index"] for answer in answers] == [0, 1, 2, 3, 4, 5]
    assert answers[0] == {"index": 0, "id": taken.pk, "key": "a", "status": "waiting"}
    assert answers[2] == {**answers[0], "index": 2, "replayed": True}
    assert [answer["key"] for answer in answers] == ["a", "paid-2", "a", "c", "a", None]
    refused = {index: answers[index]["error"] for index in (1, 3, 4, 5)}
    assert {index: (error["status"], error["code"]) for index, error in refused.items()} == {
        1: (400, "invalid_event"),
        3: (409, "order_already_reported"),
        4: (422, "key_reused"),
        5: (400, "invalid_event"),
    }
    assert pointers(refused[1]) == ["/events/1/occurred_at"]
    assert Event.objects.count() == 2


def test_a_batch_sent_again_gets_the_first_answer_again(shop):
    batch = {"events": [joined("a"), joined("b")]}
    first = shop.post(batch).json()["events"]

    again = shop.post(batch)

    assert (again.status_code, again.json()["events"]) == (202, [{**each, "replayed": True} for each in first])


def test_a_batch_of_which_nothing_is_taken_is_refused_in_the_same_shape(shop):
    response = shop.post({"events": [joined(kind="x"), {}]})

    assert response.status_code == 422
    assert [(each["index"], each["error"]["code"]) for each in response.json()["events"]] == [
        (0, "invalid_event"),
        (1, "invalid_event"),
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"events": []}, "/events"),
        ({"events": {}}, "/events"),
        ({"events": None}, "/events"),
        ({"events": [joined()] * 501}, "/events"),
        ({"events": [joined()], "dry_run": True}, ""),
    ],
)
def test_a_batch_is_a_list_of_1_to_500_and_nothing_else(shop, body, pointer):
    response = shop.post(body)

    assert problem(response) == (400, "invalid_batch")
    assert pointers(response.json()) == [pointer]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("body", "statements"),
    [
        (joined("new"), 1),
        (joined("known"), 2),
        ({"events": [joined(f"new-{n}") for n in range(500)]}, 1),
        ({"events": [joined(f"new-{n % 300}") for n in range(499)] + [joined("known")]}, 2),
    ],
    ids=["one", "one again", "batch", "batch with repeats"],
)
def test_the_number_of_statements_does_not_grow(shop, body, statements):
    shop.post(joined("known"))  # Warms what is kept of the key and of the host, too.

    with CaptureQueriesContext(connection) as queries:
        response = shop.post(body)

    assert response.status_code == 202
    assert len(queries) == statements, [query["sql"][:100] for query in queries]


# Who may


def test_without_a_key_nothing_is_taken(acme):
    response = Program(None, host=host_of(acme)).post(joined())

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


def test_the_key_needs_the_scope(acme):
    reader, writer = program_of(acme, "events:read"), program_of(acme, "events:write")

    assert problem(reader.post(joined())) == (403, "missing_scope")
    assert problem(writer.get()) == (403, "missing_scope")
    assert not Event.objects.exists()


def test_the_key_of_one_tenant_is_nothing_at_the_host_of_another(acme, bolt):
    assert program_of(bolt, "events:write", at_host_of=acme).post(joined()).status_code == 401
    assert not Event.objects.exists()


def test_the_platforms_host_takes_every_tenants_key_to_its_tenant(acme, bolt):
    program = program_of(bolt, "events:write")
    program.headers["Host"] = settings.BASE_DOMAIN

    assert program.post(joined()).status_code == 202

    connection.set_tenant(acme)
    assert Event.objects.count() == 0
    connection.set_tenant(bolt)
    assert Event.objects.count() == 1


def test_only_a_backfilling_key_goes_back_further_than_90_days(shop, acme):
    body = joined(occurred_at=(timezone.now() - timedelta(days=1000)).isoformat())

    assert pointers(shop.post(body).json()) == ["/occurred_at"]
    assert program_of(acme, "events:write", "events:backfill").post(body).status_code == 202
    assert Event.objects.get().is_history


# What became of them


def test_events_are_listed_newest_first(shop):
    shop.post({"events": [joined("a"), order("1"), joined("c")]})

    response = shop.get(limit=2)

    page = response.json()
    assert [each["key"] for each in page["data"]] == ["c", "paid-1"]
    rest = shop.get(cursor=page["next_cursor"]).json()
    assert ([each["key"] for each in rest["data"]], rest["next_cursor"]) == (["a"], None)


def test_an_event_is_listed_with_how_far_it_has_come(shop):
    shop.post(joined())
    anna = Member.objects.create(first_seen_at=timezone.now())
    Identity.objects.create(
        member=anna, kind="external_id", lookup="anna", value="anna", resolves=True, added_at=timezone.now()
    )
    waiting = shop.get().json()["data"][0]
    Event.objects.update(member=anna, status="failed", error="No luck.")

    failed = shop.get().json()["data"][0]

    event = Event.objects.get()
    assert (waiting["member"], waiting["status"], waiting["error"], waiting["handled_at"]) == (
        None,
        "waiting",
        None,
        None,
    )
    assert set(failed) == set(waiting)
    assert failed["id"] == event.pk
    assert failed["member"] == {"id": anna.pk, "external_id": "anna"}
    assert (failed["status"], failed["error"], failed["source"]) == ("failed", "No luck.", "api")


def test_events_are_found_by_status_kind_and_member(shop):
    shop.post({"events": [joined("a"), order("1"), joined("c")]})
    boris = Member.objects.create(first_seen_at=timezone.now())
    Identity.objects.create(
        member=boris, kind="external_id", lookup="boris", value="boris", resolves=True, added_at=timezone.now()
    )
    Event.objects.filter(key="a").update(member=boris, status="handled")

    def keys(**query):
        return [each["key"] for each in shop.get(**query).json()["data"]]

    assert keys(status="waiting") == ["c", "paid-1"]
    assert keys(kind="member.joined") == ["c", "a"]
    assert keys(member="boris") == ["a"]
    assert keys(member="zoe") == []
    assert keys(member="boris", status="waiting") == []


def test_an_event_is_found_by_the_key_that_it_was_reported_under(shop):
    shop.post({"events": [joined("a"), joined("aa"), joined("A")]})
    with transaction():
        told = {"measure": "count", "used": 5, "max": 5, "period": "ever"}
        facts.record(facts=[Fact("limit.used_up", key, told) for key in ("a", "limit:1")], at=timezone.now())

    def found(key):
        return [(each["key"], each["source"]) for each in shop.get(key=key).json()["data"]]

    assert found("a") == [("a", "api")]
    assert [found("limit:1"), found("nobody")] == [[], []]


def test_a_key_is_looked_up_in_an_index_however_long_the_log(shop):
    shop.post({"events": [joined(f"k{n}") for n in range(500)]})
    found = Event.objects.filter(source="api", key="k7").order_by("-id")[:51]

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE events_event")

    assert "event_key_once" in found.explain()


def test_another_tenants_key_finds_nothing_here(shop, bolt):
    shop.post(joined("a"))

    assert program_of(bolt, "events:read").get(key="a").json()["data"] == []


def test_events_are_found_by_when_they_were_received(shop):
    shop.post({"events": [joined("a")]})
    shop.post({"events": [joined("b", occurred_at=(timezone.now() - timedelta(days=9)).isoformat())]})
    first, second = Event.objects.order_by("pk").values_list("received_at", flat=True)

    def keys(**query):
        return [each["key"] for each in shop.get(**query).json()["data"]]

    assert keys(since=first.isoformat()) == ["b", "a"]
    assert keys(since=second.isoformat()) == ["b"]
    assert keys(until=second.isoformat()) == ["a"]
    assert keys(since=first.isoformat(), until=first.isoformat()) == []
    assert keys(since=second.isoformat(), key="a") == []


def test_the_list_leaves_the_data_out(shop):
    shop.post(order())

    assert "data" not in shop.get().json()["data"][0]


@pytest.mark.parametrize(
    "query",
    [{"status": "done"}, {"limit": "0"}, {"limit": "101"}, {"cursor": "x"}, {"since": "soon"}, {"key": "k" * 201}],
)
def test_an_odd_query_is_refused(shop, query):
    assert shop.get(**query).status_code == 400


def test_the_list_takes_one_statement_however_long(shop):
    shop.post({"events": [joined(f"k{n}") for n in range(100)]})

    with CaptureQueriesContext(connection) as queries:
        assert len(shop.get(limit=100).json()["data"]) == 100

    assert len(queries) == 1


def test_no_other_method_is_answered(shop):
    response = shop.client.delete("/api/v1/events", headers=shop.headers)

    assert response.status_code == 405
