import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core import sealing
from core.db import fetch, transaction
from events.models import Event
from members.models import Member
from rewards import ledger
from rewards.models import Adjustment
from tenants import answers, context, keys
from tenants.answers import Answered, Asked
from tenants.models import Tenant
from tenants.staff.models import Answer
from tenants.tasks import forget_answers
from tests.cast import NOON, Shop
from tests.programs import Program, host_of, program_of
from tests.races import race

pytestmark = pytest.mark.django_db

ANNA = {"external_id": "anna"}
SORRY = {"member": "anna", "asset": "points", "amount": 50, "reason": "Sorry", "key": "desk-1"}
ASKED = Asked(key="k", method="POST", path="/api/v1/members", body=ANNA)
ANSWERED = Answered(201, {"Content-Type": "application/json"}, "{}")


def once(program, body, address="/api/v1/members", *, key="once"):
    """Send a body with an Idempotency-Key."""
    headers = program.headers | {"Idempotency-Key": key}
    return program.client.post(address, body, content_type="application/json", headers=headers)


@pytest.fixture
def program(acme):
    return program_of(acme, "members:write", "rewards:write", "events:write", "rewards:read", "members:read")


# The same again


def test_the_same_request_again_is_answered_as_the_first_was_and_does_nothing(program):
    first, second = once(program, ANNA), once(program, ANNA)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    # Without the key it is seen to be there already.
    assert program.post(ANNA, "/api/v1/members").status_code == 200


def test_an_answer_again_has_a_request_id_of_its_own(program):
    first, second = once(program, ANNA), once(program, ANNA)

    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]


def test_spaces_and_the_order_of_names_make_no_other_body(program):
    headers = program.headers | {"Idempotency-Key": "once"}
    bodies = ['{"external_id": "anna", "email": "a@example.com"}', '{"email":"a@example.com",  "external_id":"anna"}']

    answers_ = [
        program.client.post("/api/v1/members", body, content_type="application/json", headers=headers)
        for body in bodies
    ]

    assert [each.status_code for each in answers_] == [201, 201]
    assert answers_[0].content == answers_[1].content


@pytest.mark.parametrize("other", [{"external_id": "boris"}, {}, {"external_id": "anna", "telegram": "1"}])
def test_another_body_with_the_same_key_is_refused(program, other):
    once(program, ANNA)

    refused = once(program, other)

    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Member.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "other"), [({"x": 1}, {"x": True}), ({"x": 1}, {"x": "1"}), ({"x": [1, 2]}, {"x": [2, 1]})]
)
def test_what_json_tells_apart_is_another_body(acme, body, other):
    one, two = ASKED._replace(body=body), ASKED._replace(body=other)

    assert one.fingerprint != two.fingerprint


def test_without_a_key_nothing_is_kept(program):
    program.post(ANNA, "/api/v1/members")

    assert Answer.objects.count() == 0


@pytest.mark.parametrize("key", ["", " ", "a b", "ключ", "x" * 256, "tab\tbed"])
def test_what_is_no_key_is_refused_before_anything_is_done(program, key):
    refused = once(program, ANNA, key=key.encode().decode("latin-1"))

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_idempotency_key")
    assert (Member.objects.count(), Answer.objects.count()) == (0, 0)


@pytest.mark.parametrize("key", ["x", "x" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a/b?c#d%00"])
def test_a_key_is_any_text_that_a_header_can_carry(program, key):
    assert [once(program, ANNA, key=key).status_code for _ in range(2)] == [201, 201]
    assert Answer.objects.get().key == key


def test_reading_and_taking_back_need_no_key_and_keep_nothing(program):
    once(program, ANNA)
    headers = program.headers | {"Idempotency-Key": "once"}

    told = program.client.get("/api/v1/members/anna", headers=headers)
    gone = program.client.delete("/api/v1/members/anna", headers=headers)

    assert (told.status_code, gone.status_code) == (200, 204)
    assert Answer.objects.count() == 1


# Whose the key is


def test_a_key_belongs_to_one_address(program):
    Shop().joins("anna")
    body = {**SORRY, "kind": "points"}

    adjusted = once(program, SORRY, "/api/v1/adjustments")
    issued = once(program, body, "/api/v1/rewards")

    assert (adjusted.status_code, issued.status_code) == (201, 201)
    assert ledger.verify() == []
    assert Answer.objects.count() == 2


def test_the_keys_of_two_tenants_do_not_meet(program, bolt):
    strangers = program_of(bolt, "members:write")

    told = [once(program, ANNA), once(strangers, {"external_id": "boris"}), once(strangers, {"external_id": "boris"})]

    assert [each.json()["external_id"] for each in told] == ["anna", "boris", "boris"]
    with context.in_tenant("t_bolt"):
        assert list(Answer.objects.values_list("key", flat=True)) == ["once"]


def test_the_keys_of_live_and_test_do_not_meet(program, acme):
    _row, key = keys.issue(tenant=acme, environment="sandbox", name="test", scopes=["members:write"], at=NOON)
    tester = Program(key, host=host_of(acme))

    told = [once(program, ANNA), once(tester, {"external_id": "boris"}), once(program, ANNA)]

    assert [each.status_code for each in told] == [201, 201, 201]
    assert Member.objects.count() == 1


def test_the_tenants_own_host_and_the_platforms_are_one_address(program, acme):
    elsewhere = Program(program.headers["Authorization"].removeprefix("Bearer "), host="localhost")

    first, second = once(program, ANNA), once(elsewhere, ANNA)

    assert (first.content, second.headers["Idempotent-Replayed"]) == (second.content, "true")


def test_whoever_lacks_the_scope_is_told_nothing_of_an_answer(program, acme):
    once(program, ANNA)
    reader = program_of(acme, "members:read")

    refused = once(reader, ANNA)

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")


# Which answers are kept


def test_what_was_refused_after_it_was_understood_stays_refused(program):
    shop = Shop()
    shop.joins("anna")
    taking = {**SORRY, "amount": -50}

    first = once(program, taking, "/api/v1/adjustments")
    program.post({**SORRY, "key": "desk-2"}, "/api/v1/adjustments")
    second = once(program, taking, "/api/v1/adjustments")

    assert (first.status_code, first.json()["code"]) == (409, "insufficient_balance")
    assert (second.content, second.headers["Idempotent-Replayed"]) == (first.content, "true")
    assert second.headers["Content-Type"] == "application/problem+json"
    assert list(Adjustment.objects.values_list("key", flat=True)) == ["desk-2"]
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("wrong", "code"), [({"external_id": 5 * "x" * 50}, "invalid_identity"), ({}, "nobody_named"), ([], "invalid")]
)
def test_what_was_not_understood_is_forgotten_so_that_it_can_be_put_right(program, wrong, code):
    refused = once(program, wrong)
    done = once(program, ANNA)

    assert (refused.status_code, refused.json()["code"]) == (400, code)
    assert (done.status_code, done.json()["created"]) == (201, True)


def test_what_was_asked_of_nobody_is_asked_anew(program):
    refused = once(program, SORRY, "/api/v1/adjustments")
    Shop().joins("anna")
    done = once(program, SORRY, "/api/v1/adjustments")

    assert (refused.status_code, done.status_code) == (404, 201)


def test_a_reported_event_is_answered_again_with_its_address(program):
    body = {"key": "visit-1", "kind": "check_in", "member": ANNA}

    first, second = (once(program, body, "/api/v1/events") for _ in range(2))

    assert (first.status_code, second.status_code) == (202, 202)
    # By its own key alone it would be told that it is a repeat.
    assert "replayed" not in second.json()
    assert second.headers["Location"] == first.headers["Location"] == f"/api/v1/events/{first.json()['id']}"
    assert Event.objects.filter(source="api").count() == 1


def test_a_batch_of_which_nothing_was_taken_is_answered_alike(program):
    body = {"events": [{"key": "visit-1", "kind": "no such kind", "member": ANNA}]}

    first, second = (once(program, body, "/api/v1/events") for _ in range(2))

    assert (first.status_code, second.status_code) == (422, 422)
    assert second.content == first.content


# Where it is kept


def test_a_kept_answer_is_sealed_for_its_tenant(program):
    once(program, ANNA)
    kept = Answer.objects.get()

    assert (kept.method, kept.path, kept.status) == ("POST", "/api/v1/members", 201)
    assert "anna" not in kept.body
    told = sealing.unseal(schema="t_acme", kind=answers.SEALED_AS, value=kept.body)
    assert json.loads(told)["external_id"] == "anna"
    with pytest.raises(sealing.CannotUnseal):
        sealing.unseal(schema="t_bolt", kind=answers.SEALED_AS, value=kept.body)


def test_after_a_day_a_key_is_free(program):
    once(program, ANNA)
    Answer.objects.update(created_at=timezone.now() - answers.KEPT_FOR)

    again = once(program, {"external_id": "boris"})

    assert (again.status_code, again.json()["external_id"]) == (201, "boris")
    assert Answer.objects.count() == 1


def test_a_moment_before_it_is_not(program):
    once(program, ANNA)
    Answer.objects.update(created_at=timezone.now() - answers.KEPT_FOR + timedelta(minutes=1))

    assert once(program, {"external_id": "boris"}).status_code == 422


def test_an_advance_of_the_sandboxs_clock_has_nothing_done_twice(acme):
    _row, key = keys.issue(tenant=acme, environment="sandbox", name="test", scopes=["rewards:write"], at=NOON)
    tester = Program(key, host=host_of(acme))
    with context.in_tenant("t_acme_sandbox"):
        Shop().joins("anna")
    first = once(tester, SORRY, "/api/v1/adjustments")
    Tenant.objects.filter(schema_name="t_acme_sandbox").update(clock_ahead=timedelta(days=30))
    forget_answers()

    again = once(tester, SORRY, "/api/v1/adjustments")

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    with context.in_tenant("t_acme_sandbox"):
        assert Adjustment.objects.count() == 1
        # A day is a real one, whatever the sandbox's clock says.
        Answer.objects.update(created_at=timezone.now() - answers.KEPT_FOR)
        forget_answers()
        assert not Answer.objects.exists()


def test_the_clock_forgets_what_is_older_than_a_day_of_every_tenant(program, bolt):
    strangers = program_of(bolt, "members:write")
    for each in (program, strangers):
        once(each, ANNA, key="old")
        once(each, ANNA, key="new")
    for schema in ("t_acme", "t_bolt"):
        with context.in_tenant(schema):
            Answer.objects.filter(key="old").update(created_at=timezone.now() - answers.KEPT_FOR)

    forget_answers()

    for schema in ("t_acme", "t_bolt"):
        with context.in_tenant(schema):
            assert list(Answer.objects.values_list("key", flat=True)) == ["new"]


def test_the_clock_starts_it(settings):
    assert settings.CELERY_BEAT_SCHEDULE["forget-answers"]["task"] == forget_answers.name


def test_a_request_with_a_key_costs_five_statements_more(program):
    program.post({"external_id": "boris"}, "/api/v1/members")
    with CaptureQueriesContext(connection) as without:
        program.post({"external_id": "clara"}, "/api/v1/members")
    with CaptureQueriesContext(connection) as with_key:
        once(program, {"external_id": "dina"})

    # Whose turn it is, whether it was answered, a savepoint and its release, and the answer.
    assert len(with_key) - len(without) == 5


# While the first is at work


@pytest.mark.django_db(transaction=True)
def test_whoever_comes_while_the_first_is_at_work_is_told_so(acme):
    asked = ASKED

    def second():
        return answers.begin(asked=asked, at=NOON)

    with transaction():
        assert answers.begin(asked=asked, at=NOON) is None
        (told,) = race(second)
        answers.keep(asked=asked, answered=ANSWERED, at=NOON)

    assert isinstance(told, answers.IdempotencyKeyInUse)
    assert race(second) == [ANSWERED]


@pytest.mark.django_db(transaction=True)
def test_another_body_is_in_use_too_and_refused_afterwards(acme):
    other = ASKED._replace(body={"external_id": "boris"})

    with transaction():
        answers.begin(asked=ASKED, at=NOON)
        (told,) = race(lambda: answers.begin(asked=other, at=NOON))
        answers.keep(asked=ASKED, answered=ANSWERED, at=NOON)

    assert isinstance(told, answers.IdempotencyKeyInUse)
    assert isinstance(race(lambda: answers.begin(asked=other, at=NOON))[0], answers.IdempotencyKeyReused)


# Among a hundred thousand keys two have the same hash of 32 bits, nearly always.
MEETING = """
SELECT min(key) AS one, max(key) AS other
FROM (SELECT n::text AS key, encode(sha256(convert_to(concat_ws(chr(10), 'POST', '/api/v1/members', n), 'UTF8')), 'hex')
        AS lookup FROM generate_series(1, 300000) n) keys
GROUP BY hashtext('t_acme:' || lookup) HAVING count(*) > 1 LIMIT 1
"""


@pytest.mark.django_db(transaction=True)
def test_two_keys_of_one_hash_wait_and_are_never_taken_for_each_other(acme):
    (meeting,) = fetch(MEETING)
    one, other = ASKED._replace(key=meeting.one), ASKED._replace(key=meeting.other)

    with transaction():
        answers.begin(asked=one, at=NOON)
        (told,) = race(lambda: answers.begin(asked=other, at=NOON))
        answers.keep(asked=one, answered=ANSWERED, at=NOON)

    assert isinstance(told, answers.IdempotencyKeyInUse)
    assert race(lambda: answers.begin(asked=other, at=NOON)) == [None]
