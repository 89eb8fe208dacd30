"""
Schemathesis against a real server and a tenant with something of everything: every check, and stateful.

It is no part of `make test`: `make fuzz EXAMPLES=2000` takes as long as it takes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config import reference
from core.db import current_schema, execute, fetch
from events import handling
from events.models import Event, Order
from rewards import ledger
from scoring.early import UNKNOWN_ORDER
from tenants import context
from tenants.models import Tenant
from tests.checkout import ROOT
from tests.fuzz import parts, seeds, tally
from tests.fuzz.seeds import type_of_values
from tests.programs import host_of
from tests.serving import Server, served

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = os.environ.get("EXAMPLES", "50")
# No shape can say what a tenant has, and what state it is in: what is valid may well be answered 400, 404 or 409.
LEFT_OUT = "positive_data_acceptance"
# How what is invalid is refused; an address or a header may be too long to be read at all.
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "414", "415", "422", "429", "431"]
NUMBERS_FROM = 770_000_001
# A walk hangs on what the server answers, so that the dice soon fall otherwise and the fuzzer ends: it begins again
# until its time is over. Five walks a second are few.
WALKS = ("--phases", "stateful", "--max-time", str(max(20, int(EXAMPLES) // 5)))


@pytest.fixture
def server(acme, monkeypatch) -> Iterator[Server]:
    # A line for each refusal costs more than the refusal.
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    with served(processes=1) as server:
        yield server


@dataclass(frozen=True, kw_only=True)
class Run:
    """Whose API is fuzzed, which of its operations, and what is asked for."""

    key: str
    host: str
    names: Sequence[str]
    values: Mapping[str, type_of_values] = field(default_factory=dict)
    # What the hooks of `tests/fuzz/hooks.py` are told.
    told: Mapping[str, str] = field(default_factory=dict)


def fuzz(run: Run, server: Server, folder: Path) -> tally.type_of_tally:
    """Let schemathesis loose. It must find nothing; return what it reached with single requests."""
    single = _let_loose(run, server, folder, "--phases", "examples,coverage,fuzzing")
    # Where no answer leads to another operation there is nothing to walk.
    walked = _let_loose(run, server, folder, *WALKS) if _lead_on(run.names) else {}
    for found in filter(None, (single, walked)):
        sys.stdout.write(f"\n{tally.table(found)}\n")
    return single


def _let_loose(run: Run, server: Server, folder: Path, *how: str) -> tally.type_of_tally:
    document, config, counted = (folder / name for name in ("openapi.json", "schemathesis.toml", "tally.json"))
    document.write_text(json.dumps(reference.document(), default=str))
    config.write_text(_config(run.values))
    address = f"http://127.0.0.1:{server.port}"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(document), *how]
    command += ["--url", address, "--header", f"Authorization: Bearer {run.key}", "--header", f"Host: {run.host}"]
    command += ["--workers", "1", "--max-examples", EXAMPLES, "--continue-on-failure", "--generation-database", "none"]
    command += ["--checks", "all", "--exclude-checks", LEFT_OUT]
    command += [part for name in run.names for part in ("--include-name", name)]
    told = {"FUZZ_ADDRESS": address, "FUZZ_HOST": run.host, "FUZZ_TALLY": str(counted)}
    told |= {"FUZZ_DOCUMENT": str(document), **run.told}
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONWARNINGS": "ignore", **told}
    verdict = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 (our own fuzzer)
    assert verdict == 0
    return tally.read(counted)


def _lead_on(names: Sequence[str]) -> bool:
    told = [
        operation
        for path, operations in reference.document()["paths"].items()
        for method, operation in operations.items()
        if f"{method.upper()} {path}" in names
    ]
    ids = {operation["operationId"] for operation in told}
    links = [link for operation in told for each in operation["responses"].values() for link in each.get("links", {})]
    return not ids.isdisjoint(links)


def _config(values: Mapping[str, type_of_values]) -> str:
    lines = ["[checks.negative_data_rejection]", f"expected-statuses = {json.dumps(REFUSALS)}", ""]
    for number, each in enumerate(values.values()):
        lines += [f"[dictionaries.d{number}]", f"values = {json.dumps(list(each))}", ""]
    # What an operation is asked must not hang on earlier answers: the fuzzer gives an operation up without a word, as
    # soon as it is not asked the same by the same dice.
    lines += ["[phases.fuzzing.extra-data-sources]", "responses = false", ""]
    lines += ["[phases.fuzzing.error-feedback]", "enabled = false", ""]
    lines += ["[parameters]"]
    lines += [f'"{name}" = {{ dictionary = "d{number}", probability = 0.7 }}' for number, name in enumerate(values)]
    return "\n".join(lines)


def test_whatever_is_sent_is_answered_as_the_reference_says(acme, server, tmp_path):
    seeds.seed(acme)
    key = seeds.key_without_limit(acme)
    names = parts.of_live_tenants(reference.document())
    told = {
        "FUZZ_KEY": seeds.key_without_limit(acme),
        "FUZZ_FAILED": " ".join(str(each) for each in seeds.fail_events()),
    }

    reached = fuzz(Run(key=key, host=host_of(acme), names=names, values=seeds.values(), told=told), server, tmp_path)

    assert (tally.never_done(reached), sorted(reached)) == ([], names)
    assert ledger.verify() == []


def test_whatever_was_reported_is_handled(acme, server, tmp_path):
    seeds.seed(acme)
    key = seeds.key_without_limit(acme)
    names = [name for name in parts.of_live_tenants(reference.document()) if name == "POST /api/v1/events"]
    told = {"FUZZ_KEY": seeds.key_without_limit(acme), "FUZZ_FAILED": ""}

    fuzz(Run(key=key, host=host_of(acme), names=names, values=seeds.values(), told=told), server, tmp_path)
    while handling.handle_batch(schema=current_schema(), at=timezone.now()):
        pass

    # What comes back from an order that nobody has paid waits for that order, and no longer.
    left = Event.objects.exclude(status=Event.Status.HANDLED)
    early = set(left.filter(error=UNKNOWN_ORDER).values_list("data__order_id", flat=True))
    assert list(left.exclude(error=UNKNOWN_ORDER).values_list("kind", "error")) == []
    assert list(Order.objects.filter(number__in=early)) == []
    assert ledger.verify() == []


def test_a_sandbox_answers_as_the_reference_says(acme, server, tmp_path):
    sandbox = Tenant.objects.get(live=acme)
    key = seeds.key_without_limit(acme, environment=Tenant.Environment.SANDBOX)
    names = parts.of_sandboxes(reference.document())

    with context.in_tenant(sandbox.schema_name):
        values = seeds.values_of_sandbox(sandbox)
        reached = fuzz(Run(key=key, host=host_of(acme), names=names, values=values), server, tmp_path)

        assert (tally.never_done(reached), sorted(reached)) == ([], names)
        assert ledger.verify() == []


def test_with_the_ids_of_another_tenant_nothing_is_found_and_nothing_changes(acme, bolt, server, tmp_path):
    _number_rows_from(NUMBERS_FROM)
    seeds.seed(acme)
    values = seeds.values()
    before = _everything()
    with context.in_tenant("t_bolt"):
        key = seeds.key_without_limit(bolt)
    names = parts.of_live_tenants(reference.document())
    # A number by itself: the id of a request has such digits now and then.
    told = {"FUZZ_OF_OTHERS": r"\b77000\d{4}\b|Bring a friend|Every order"}

    fuzz(Run(key=key, host=host_of(bolt), names=names, values=values, told=told), server, tmp_path)

    assert _everything() == before


def _number_rows_from(number: int) -> None:
    sequences = fetch(
        "SELECT relname AS name FROM pg_class WHERE relkind = 'S' AND relnamespace = 't_acme'::regnamespace"
    )
    execute(";".join(f"ALTER SEQUENCE t_acme.{sequence.name} RESTART WITH {number}" for sequence in sequences))


def _everything() -> list[Any]:
    rows = fetch(
        "SELECT format('SELECT %L AS name, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM %s t', "
        "relation, relation) AS statement FROM pg_class CROSS JOIN LATERAL format('%I.%I', "
        "relnamespace::regnamespace::text, relname) AS relation "
        "WHERE relkind = 'r' AND relnamespace = 't_acme'::regnamespace"
    )
    return sorted(fetch(" UNION ALL ".join(row.statement for row in rows)))
