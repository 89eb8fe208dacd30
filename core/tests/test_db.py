from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, models
from django.db import transaction as django_transaction
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState
from django_tenants.utils import schema_context

from core.db import (
    AppendOnly,
    NoTransaction,
    after_commit,
    current_schema,
    execute,
    fetch,
    in_transaction,
    json_text,
    savepoint,
    transaction,
)
from core.errors import conflict_of

pytestmark = pytest.mark.django_db


@transaction
def write(*, name):
    """Add one."""
    execute("INSERT INTO auth_group (name) VALUES (%s)", [name])
    return name


@in_transaction
def note():
    return "noted"


def _write_and_fail(name):
    execute("INSERT INTO auth_group (name) VALUES (%s)", [name])
    raise ZeroDivisionError


def names():
    return [row.name for row in fetch("SELECT name FROM auth_group WHERE name LIKE 'test-%%' ORDER BY name")]


# Transactions


def test_a_transaction_keeps_what_was_done_and_the_verb_its_face():
    assert write(name="test-1") == "test-1"
    assert names() == ["test-1"]
    assert (write.__name__, write.__doc__) == ("write", "Add one.")


def test_a_transaction_that_fails_leaves_nothing():
    with pytest.raises(ZeroDivisionError), transaction():
        _write_and_fail("test-1")

    assert names() == []


def test_a_transaction_refuses_to_nest():
    with pytest.raises(RuntimeError), transaction():
        write(name="test-1")

    assert names() == []


def test_a_verb_that_needs_a_transaction_runs_in_one():
    with transaction():
        assert note() == "noted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("word", [note, savepoint, lambda: after_commit(print)])
def test_without_a_transaction_the_words_that_need_one_refuse(word):
    with pytest.raises(NoTransaction):
        word()


def test_a_savepoint_undoes_its_block_only():
    with transaction():
        execute("INSERT INTO auth_group (name) VALUES ('test-1')")
        with pytest.raises(ZeroDivisionError), savepoint():
            _write_and_fail("test-2")

    assert names() == ["test-1"]


def test_what_follows_a_commit_runs_in_the_tenant_that_asked(django_capture_on_commit_callbacks):
    asked_in, seen = current_schema(), []

    with django_capture_on_commit_callbacks(execute=False) as callbacks, transaction():
        after_commit(lambda: seen.append(current_schema()))
    with schema_context("public"):
        callbacks[0]()
        assert current_schema() == "public"

    assert seen == [asked_in]
    assert asked_in != "public"


def test_what_follows_a_commit_in_the_same_tenant_costs_no_statement(
    django_capture_on_commit_callbacks, django_assert_num_queries
):
    with django_capture_on_commit_callbacks() as callbacks, transaction():
        after_commit(lambda: execute("SELECT 1"))

    with django_assert_num_queries(1):
        callbacks[0]()


def test_nothing_follows_a_rollback(django_capture_on_commit_callbacks):
    def story():
        after_commit(names)
        _write_and_fail("test-1")

    with django_capture_on_commit_callbacks() as callbacks, pytest.raises(ZeroDivisionError):
        transaction(story)()

    assert callbacks == []


# SQL


def test_rows_come_back_by_name():
    (row,) = fetch("SELECT 1 AS one, %(text)s AS text, 2", {"text": "a%"})

    assert (row.one, row.text, row[2]) == (1, "a%", 2)


def test_lists_become_arrays_even_empty_ones():
    sql = "SELECT count(*) AS found FROM generate_series(1, 5) AS n WHERE n = ANY(%(ids)s::bigint[])"

    assert [fetch(sql, {"ids": ids})[0].found for ids in ([1, 3, 9], [])] == [2, 0]


def test_json_goes_in_and_out_as_python():
    value = {"a": [1, None, "я\\'"], "at": datetime(2026, 1, 2, tzinfo=UTC), "x": Decimal("1.5")}
    read = {"a": [1, None, "я\\'"], "at": "2026-01-02T00:00:00Z", "x": "1.5"}

    (row,) = fetch("SELECT %(one)s::jsonb AS one, NULL::jsonb AS none, 'text' AS text", {"one": json_text(value)})
    rows = fetch("SELECT each FROM jsonb_array_elements(%(all)s::jsonb) AS each", {"all": json_text([value, 1, None])})

    assert (row.one, row.none, row.text) == (read, None, "text")
    assert [each.each for each in rows] == [read, 1, None]


def test_json_of_many_rows_stays_in_its_row():
    sql = """
        SELECT * FROM (VALUES (1, '{"a": [1, 2]}'::jsonb, NULL::jsonb), (2, NULL, '"],["'), (3, 'null', '[]'))
            AS told (n, one, other) ORDER BY n
    """

    rows = fetch(sql)

    assert [tuple(each) for each in rows] == [(1, {"a": [1, 2]}, None), (2, None, "],["), (3, None, [])]
    assert fetch(f"{sql} LIMIT 0") == []


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(float("nan"))


def test_execute_counts_the_rows_it_touched():
    execute("INSERT INTO auth_group (name) VALUES ('test-1'), ('test-2')")

    assert execute("UPDATE auth_group SET name = name || '!' WHERE name = ANY(%s)", [["test-1", "test-9"]]) == 1


def test_a_conflict_names_its_constraint():
    execute("INSERT INTO auth_group (name) VALUES ('test-1')")

    with pytest.raises(IntegrityError) as refused, savepoint():
        execute("INSERT INTO auth_group (name) VALUES ('test-1')")

    assert conflict_of(refused.value) == "auth_group_name_key"


# Append-only tables


def migrate(*operations, app="members"):
    """Run operations as one migration would; return how to run the last one backwards."""
    states = [ProjectState()]
    for operation in operations:
        states.append(states[-1].clone())
        operation.state_forwards(app, states[-1])
        with connection.schema_editor() as editor:
            operation.database_forwards(app, editor, states[-2], states[-1])

    def undo():
        with connection.schema_editor() as editor:
            operations[-1].database_backwards(app, editor, states[-1], states[-2])

    return undo


def note_model():
    return CreateModel(
        "Note",
        [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField()), ("seen", models.IntegerField())],
    )


def refused(sql):
    """Tell what the database said when it refused, '' if it did not."""
    try:
        with django_transaction.atomic():
            execute(sql)
    except IntegrityError as error:
        return str(error).splitlines()[0]
    return ""


REFUSED = "members_note is append-only"
INSERT = "INSERT INTO members_note (text, seen) VALUES ('a', 0)"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE members_note SET text = 'b'",
        "UPDATE members_note SET seen = 1",
        "DELETE FROM members_note",
        "TRUNCATE members_note",
        "INSERT INTO members_note (id, text, seen) VALUES (1, 'b', 0) ON CONFLICT (id) DO UPDATE SET text = 'b'",
    ],
)
def test_rows_of_an_append_only_table_stay_as_they_are(sql):
    migrate(note_model(), AppendOnly("note"))
    execute("INSERT INTO members_note (id, text, seen) VALUES (1, 'a', 0)")

    assert refused(sql) == REFUSED
    assert [tuple(row) for row in fetch("SELECT text, seen FROM members_note")] == [("a", 0)]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("UPDATE members_note SET seen = 1", ""),
        ("UPDATE members_note SET seen = 1, text = 'b'", REFUSED),
        ("DELETE FROM members_note", REFUSED),
        ("TRUNCATE members_note", REFUSED),
    ],
)
def test_where_some_columns_are_protected_the_others_may_change(sql, answer):
    migrate(note_model(), AppendOnly("note", protects=("text",)))
    execute(INSERT)

    assert refused(sql) == answer


def test_the_function_lives_beside_the_table():
    migrate(note_model(), AppendOnly("note"))

    sql = """
        SELECT DISTINCT function.pronamespace::regnamespace::text AS schema
        FROM pg_trigger JOIN pg_proc function ON function.oid = tgfoid
        WHERE tgrelid = 'members_note'::regclass
    """
    assert [row.schema for row in fetch(sql)] == [current_schema()]


def test_the_operation_can_be_taken_back():
    undo = migrate(note_model(), AppendOnly("note"))
    execute(INSERT)

    undo()

    assert [refused(sql) for sql in ("UPDATE members_note SET text = 'b'", "DELETE FROM members_note")] == ["", ""]


def test_the_operation_keeps_away_from_schemas_that_lack_the_table():
    with schema_context("public"):
        undo = migrate(note_model(), AppendOnly("note"))
        undo()

    assert fetch("SELECT to_regclass('public.members_note') AS found")[0].found is None


def test_the_operation_says_what_it_does():
    assert AppendOnly("note").describe() == "Make note append-only"
    assert AppendOnly("note", protects=("text",)).deconstruct() == ("AppendOnly", ("note",), {"protects": ("text",)})
