"""House rules that no linter sees: what the tables, the tasks and the sources must have in common."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.utils.module_loading import import_string

from core.db import fetch
from integrations.sandbox import turns
from members import people
from rewards import night
from tenants import answers, audit, spaces, upgrades
from tests.checkout import PACKAGES, ROOT, own_models, sources

TABLES_MAX = 60

# Facts, money, and what was promised: a trigger keeps what their rows say.
APPEND_ONLY = {
    "antifraud_decision",
    "antifraud_signal",
    "campaigns_campaignversion",
    "events_event",
    "events_order",
    "members_member",
    "referrals_code",
    "referrals_referral",
    "rewards_lotuse",
    "rewards_posting",
    "staff_auditentry",
}
# Who may take advisory locks, each of a class of its own.
LOCKERS = {
    "members/people.py",
    "events/claims.py",
    "tenants/audit.py",
    "tenants/upgrades.py",
    "tenants/answers.py",
    "tenants/spaces.py",
    "rewards/night.py",
    "integrations/sandbox/turns.py",
}


def labels(entries: list[str]) -> set[str]:
    """Return the labels of the applications in a list of settings."""
    wanted = set(entries)
    return {
        each.label
        for each in apps.get_app_configs()
        if wanted & {each.name, f"{type(each).__module__}.{type(each).__qualname__}"}
    }


# Tenants and their tables


def test_no_foreign_key_leads_from_a_tenant_to_the_public_schema():
    public_only = labels(settings.SHARED_APPS) - labels(settings.TENANT_APPS)

    found = [
        str(field)
        for model in apps.get_models()
        if model._meta.app_label in labels(settings.TENANT_APPS)
        for field in model._meta.get_fields()
        if field.is_relation and field.related_model and field.related_model._meta.app_label in public_only
    ]

    assert "tenants" in public_only
    assert found == []


@pytest.mark.django_db
def test_no_constraint_leads_from_one_schema_to_another():
    rows = fetch(
        "SELECT conrelid::regclass::text AS name FROM pg_constraint JOIN pg_class target ON target.oid = confrelid "
        "WHERE contype = 'f' AND target.relnamespace <> connamespace"
    )

    assert [row.name for row in rows] == []


def tables_in(schema: str) -> set[str]:
    rows = fetch("SELECT tablename FROM pg_tables WHERE schemaname = %(schema)s", {"schema": schema})
    return {row.tablename for row in rows}


@pytest.mark.django_db
@pytest.mark.parametrize("schema", ["t_acme", "t_acme_sandbox", "t_bolt", "template"])
def test_a_tenants_schema_has_its_own_tables_and_not_too_many(schema):
    own = labels(settings.TENANT_APPS)
    wanted = {
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.app_label in own
    }

    tables = tables_in(schema)

    assert tables == wanted | {"django_migrations"}
    assert len(tables) < TABLES_MAX


@pytest.mark.django_db
def test_the_public_schema_has_no_table_of_a_tenants_own():
    shared = labels(settings.SHARED_APPS)
    wanted = {
        model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.app_label in shared
    }

    assert tables_in("public") == wanted | {"django_migrations"}


@pytest.mark.django_db
@pytest.mark.parametrize("schema", ["t_acme", "t_acme_sandbox", "template"])
def test_facts_and_money_are_append_only_in_every_schema(schema):
    rows = fetch(
        "SELECT relname, count(*) AS count FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE relnamespace = %(schema)s::regnamespace AND tgname ~ '^append_only_' GROUP BY relname",
        {"schema": schema},
    )

    # One trigger for the rows and one for the table.
    assert {row.relname: row.count for row in rows} == dict.fromkeys(APPEND_ONLY, 2)


# Models


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_a_row_says_which_it_is(model):
    assert model.__str__ is not models.Model.__str__


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_a_model_has_no_order_that_nobody_asked_for(model):
    assert model._meta.ordering == []


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_a_constraint_is_named_for_its_table_and_says_what_must_hold(model):
    names = [each.name for each in (*model._meta.constraints, *model._meta.indexes)]

    assert [name for name in names if not name.startswith(f"{model._meta.model_name}_")] == []


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_nothing_leads_back_up_to_another_package(model):
    found = [
        str(field)
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey)
        and field.related_model._meta.app_label != model._meta.app_label
        and field.remote_field.related_name != "+"
    ]

    assert found == []


def test_a_migration_can_be_taken_back():
    found = [
        f"{app}.{name}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if migration.__module__.split(".")[0] in PACKAGES
        for operation in migration.operations
        if isinstance(operation, RunPython) and not operation.reversible
    ]

    assert found == []


# Tasks


def own_tasks() -> dict[str, Any]:
    current_app.loader.import_default_modules()
    return {name: task for name, task in current_app.tasks.items() if task.__module__.split(".")[0] in PACKAGES}


@pytest.mark.parametrize("name", own_tasks())
def test_a_task_takes_names_and_survives_new_ones(name):
    parameters = inspect.signature(own_tasks()[name].run).parameters.values()

    kinds = {each.kind for each in parameters}
    assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}
    assert inspect.Parameter.VAR_KEYWORD in kinds


@pytest.mark.parametrize("name", own_tasks())
def test_a_task_is_told_its_tenant_unless_the_clock_calls_it_for_all(name):
    parameters = inspect.signature(own_tasks()[name].run).parameters
    of_the_clock = {each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()}

    assert ("schema_name" in parameters) != (name in of_the_clock)


def test_the_clock_calls_tasks_that_there_are():
    assert {each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()} <= set(own_tasks())


def test_every_consumer_of_events_is_there():
    assert all(callable(import_string(path)) for path in settings.EVENT_CONSUMERS)


@pytest.mark.parametrize("path", sorted(set(settings.NIGHT)))
def test_every_step_of_the_night_is_there_and_called_alike(path):
    assert [*inspect.signature(import_string(path)).parameters] == ["schema", "day", "at"]


# Sources


def test_only_the_kernel_follows_a_commit():
    found = {name for name, text in sources() if re.search(r"\b(on_commit|delay_on_commit)\(", text)}

    assert found == {"core/db.py"}


def test_only_those_who_are_listed_take_advisory_locks():
    found = {name for name, text in sources() if re.search(r"pg_\w*advisory\w*lock", text)}

    assert found == LOCKERS
    classes = {each.LOCK_CLASS for each in (people, upgrades, audit, night, answers, spaces, turns)}
    assert len(classes) == 7


def test_a_module_is_named_for_what_it_is_about():
    nameless = {"utils.py", "helpers.py", "common.py", "misc.py", "services.py"}

    assert [name for name, _text in sources(with_tests=True) if Path(name).name in nameless] == []


def test_what_a_template_counts_it_shows_in_groups_of_digits():
    counted = re.compile(r"{% blocktranslate [^%]*count (\w+)=.*?{% endblocktranslate %}", re.DOTALL)
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html")]
    blocks = [found for text in texts for found in counted.finditer(text)]

    assert len(blocks) > 5
    # What decides about the plural is a number; what is shown is `number|whole`, under another name.
    assert [found[0] for found in blocks if f"{{{{ {found[1]} }}}}" in found[0]] == []


def test_nothing_is_fetched_from_elsewhere():
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static").rglob("*.css"), *(ROOT / "static").rglob("*.js")]
    loading = re.compile(r"""(src=|href=|url\(|@import\s+|import\s+|fetch\()\s*["']?(https?:)?//""")

    assert files
    assert [str(path) for path in files if loading.search(path.read_text(encoding="utf-8"))] == []
