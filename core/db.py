"""
The words for transactions and for SQL. No other module opens, requires or follows a transaction in its own way.

`transaction` opens one and refuses to nest, `in_transaction` requires one, `after_commit` needs one, and `savepoint`
marks a place inside one to fall back to. `grep -rn "transaction"` therefore lists every story that writes.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import lru_cache, partial, wraps
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db import transaction as django_transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django_tenants.utils import tenant_context

P = ParamSpec("P")
R = TypeVar("R")

type_of_params = Mapping[str, Any] | Sequence[Any] | None

# PostgreSQL's type numbers for json and jsonb.
JSON_OIDS = frozenset({114, 3802})


class _TenantConnection(Protocol):
    """What django-tenants adds to a connection, which it does not tell type checkers."""

    tenant: Any
    schema_name: str

    def chunked_cursor(self) -> Any: ...


class NoTransaction(RuntimeError):
    """A programming error: this needs a transaction, and none is open."""


@overload
def transaction(verb: Callable[P, R]) -> Callable[P, R]: ...
@overload
def transaction() -> AbstractContextManager[None]: ...
def transaction(verb: Callable[P, R] | None = None) -> Callable[P, R] | AbstractContextManager[None]:
    """
    Begin one: `@transaction` on a verb, or a `with` block. What was done in it is durable at its end.

    :raises RuntimeError: inside another transaction, because the inner end would then promise what it cannot keep.
    """
    atomic = django_transaction.atomic(durable=True)
    return cast("AbstractContextManager[None]", atomic) if verb is None else atomic(verb)


def in_transaction(verb: Callable[P, R]) -> Callable[P, R]:
    """
    Let a verb run only inside somebody's transaction.

    :raises NoTransaction: when there is none.
    """

    @wraps(verb)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        _require_transaction()
        return verb(*args, **kwargs)

    return guarded


def joined() -> AbstractContextManager[None]:
    """Take part in the transaction that is open, or begin one: for what a reader notes, and what stands by itself."""
    return savepoint() if connection.in_atomic_block else transaction()


def savepoint() -> AbstractContextManager[None]:
    """
    Mark a place in the transaction that is open: an exception inside the block undoes the block only.

    :raises NoTransaction: when there is none.
    """
    _require_transaction()
    return cast("AbstractContextManager[None]", django_transaction.atomic())


def after_commit(act: Callable[[], object]) -> None:
    """
    Run `act` once the transaction is committed, in the tenant that is current now; never if it is rolled back.

    :raises NoTransaction: when there is none: "at once" would hide that nothing was being committed.
    """
    _require_transaction()
    tenant = cast("_TenantConnection", connection).tenant

    def act_in_tenant() -> None:
        # Django runs callbacks in whichever schema is current at the commit, which may be another tenant's.
        # Going over to the one that is current already would cost a statement.
        with nullcontext() if current_schema() == tenant.schema_name else tenant_context(tenant):
            act()

    django_transaction.on_commit(act_in_tenant)


def current_schema() -> str:
    """Return the name of the schema that queries go to now: a tenant's, or `public`."""
    return cast("_TenantConnection", connection).schema_name


def fetch(sql: str, params: type_of_params = None) -> list[Any]:
    """
    Run one statement and return its rows as named tuples, `json` and `jsonb` columns decoded.

    A list among the parameters becomes a PostgreSQL array: write its type beside it, `= ANY(%(ids)s::bigint[])`,
    because an empty list has none.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, _bound(params))
        columns = cursor.description or ()
        make = _row_type(tuple([column.name for column in columns]))
        found = cursor.fetchall()
    encoded = [place for place, column in enumerate(columns) if column.type_code in JSON_OIDS]
    return list(map(make, _decoded(found, encoded) if encoded else found))


def execute(sql: str, params: type_of_params = None) -> int:
    """Run one statement and return how many rows it touched. Parameters as for `fetch`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _bound(params))
        return int(cursor.rowcount)


def stream(sql: str, params: type_of_params = None, *, size: int) -> Iterator[list[tuple[Any, ...]]]:
    """
    Run one statement and yield its rows, `size` at a time, through a cursor of the server's.

    However many there are, no more are in memory. JSON comes as text. Parameters as for `fetch`.
    """
    with cast("_TenantConnection", connection).chunked_cursor() as cursor:
        cursor.execute(sql, _bound(params))
        while found := cursor.fetchmany(size):
            yield found


# Made once: json.dumps would make one for each value.
# What we store cannot hold itself; looking whether it does takes as long as writing it.
_ENCODER = DjangoJSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))


def json_text(value: object) -> str:
    """
    Return `value` as JSON to be bound to `%(…)s::jsonb`. NaN and infinities are refused, as jsonb has none.

    A column of JSON is bound as one list: `ROWS FROM (unnest(…), jsonb_array_elements(%(…)s::jsonb))`.
    """
    return _ENCODER.encode(value)


class AppendOnly(Operation):
    """
    Let the rows of a model be inserted and read only: the database refuses UPDATE, DELETE and TRUNCATE.

    With `protects`, only an UPDATE that names one of those columns is refused: the fact stays as it is, its
    processing state may move. The function lives in the table's own schema, so that it is copied with a schema.
    """

    reversible = True

    def __init__(self, model_name: str, protects: Sequence[str] | None = None) -> None:
        self.model_name = model_name
        self.protects = protects

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: Django's models know no triggers."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        quote = schema_editor.quote_name
        fields = [model._meta.get_field(name) for name in self.protects or ()]
        of_columns = " OF " + ", ".join(quote(field.column) for field in fields) if fields else ""
        table = quote(model._meta.db_table)
        for statement in (
            REFUSE_CHANGE,
            f"CREATE TRIGGER append_only_rows BEFORE DELETE OR UPDATE{of_columns} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table = schema_editor.quote_name(model._meta.db_table)
        # The function stays: other tables of the schema may use it.
        schema_editor.execute(f"DROP TRIGGER append_only_rows ON {table}", params=None)
        schema_editor.execute(f"DROP TRIGGER append_only_table ON {table}", params=None)

    def describe(self) -> str:
        return f"Make {self.model_name} append-only"


REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise NoTransaction("This needs an open transaction: mark the calling verb with @transaction.")


def _bound(params: type_of_params) -> type_of_params:
    """
    Return the parameters with each list as the text of an array.

    psycopg2 would write ARRAY['…', '…', …], which PostgreSQL parses element by element: for a batch of 200 events that
    costs more than executing the statement.
    """
    if isinstance(params, Mapping):
        return {name: array_text(value) if isinstance(value, list) else value for name, value in params.items()}
    return [array_text(value) if isinstance(value, list) else value for value in params] if params else params


def array_text(values: Sequence[object]) -> str:
    """Return values as PostgreSQL's text form of an array, `{1,NULL,"a"}`, to be cast where it is used."""
    # Many columns say the same of the whole batch; where the ends differ it is not one of them.
    if len(values) > 1 and values[0] == values[-1] and values.count(values[0]) == len(values):
        return "{" + ",".join([_element(values[0])] * len(values)) + "}"
    kinds = set(map(type, values))
    if kinds <= PLAIN:
        # PostgreSQL skips the spaces, and reads True and False in any case.
        return "{" + str(list(values))[1:-1].replace("None", "NULL") + "}"
    if kinds == {str}:
        return _texts(cast("Sequence[str]", values))
    if kinds == {datetime}:
        return "{" + ",".join(map(datetime.isoformat, cast("Sequence[datetime]", values))) + "}"
    return "{" + ",".join([_element(value) for value in values]) + "}"


# What Python shows as PostgreSQL reads it, all at once.
PLAIN = frozenset({int, bool, type(None)})


def _texts(values: Sequence[str]) -> str:
    # All at once, as one text with NULs between: there is no NUL in what PostgreSQL can store.
    together = _escaped("\0".join(values))
    if together.count("\0") != len(values) - 1:
        raise ValueError("PostgreSQL cannot store the character NUL.")
    return '{"' + together.replace("\0", '","') + '"}'


def _element(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(value)
    return f'"{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@lru_cache(maxsize=512)
def _row_type(columns: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    # What named tuples' own _make does, without a call of Python's for each row.
    return partial(tuple.__new__, cast("Any", namedtuple("Row", columns, rename=True)))


def _decoded(rows: Sequence[Sequence[Any]], places: Sequence[int]) -> Iterable[Sequence[Any]]:
    # Django tells psycopg2 to leave JSON alone, because its own field decodes it.
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place in places if columns else ():
        columns[place] = _parsed(columns[place])
    return zip(*columns, strict=True)


def _parsed(column: Sequence[Any]) -> list[Any]:
    # All at once, as one array: a call for each value would take three times as long.
    values = iter(json.loads("[" + ",".join([each for each in column if isinstance(each, str)]) + "]"))
    return [next(values) if isinstance(each, str) else each for each in column]
