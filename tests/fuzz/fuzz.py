"""
Schemathesis against a real server and a tenant with something of everything: every check, and stateful.

It is no part of `make test`: `make fuzz EXAMPLES=2000` takes as long as it takes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator

from core.db import execute, fetch
from rewards import ledger
from tenants import context
from tests.checkout import ROOT
from tests.fuzz import seeds
from tests.fuzz.seeds import type_of_values
from tests.serving import Server, served

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = os.environ.get("EXAMPLES", "50")
# A part of the operations, by a regular expression over their addresses.
ONLY = os.environ.get("ONLY", "")
# No shape can say what a tenant has, and what state it is in: what is valid may well be answered 400, 404 or 409.
LEFT_OUT = "positive_data_acceptance"
NUMBERS_FROM = 770_000_001


@pytest.fixture
def server(acme) -> Iterator[Server]:
    with served(processes=2) as server:
        yield server


def fuzz(
    server: Server, folder: Path, *, key: str, host: str, values: Mapping[str, type_of_values], **more: str
) -> int:
    """Let schemathesis loose, and return its verdict: 0 for nothing found."""
    document = folder / "openapi.json"
    document.write_text(json.dumps(SchemaGenerator().get_schema(request=None, public=True), default=str))
    config = folder / "schemathesis.toml"
    config.write_text(_config(values))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(document)]
    command += ["--url", f"http://127.0.0.1:{server.port}", "--header", f"Authorization: Bearer {key}"]
    command += ["--header", f"Host: {host}", "--workers", "1", "--max-examples", EXAMPLES, "--continue-on-failure"]
    command += ["--checks", "all", "--exclude-checks", LEFT_OUT, "--generation-database", "none"]
    command += ["--include-path-regex", ONLY] if ONLY else []
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.leaks", "PYTHONWARNINGS": "ignore", **more}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 (our own fuzzer)


def _config(values: Mapping[str, type_of_values]) -> str:
    lines = []
    for number, each in enumerate(values.values()):
        lines += [f"[dictionaries.d{number}]", f"values = {json.dumps(list(each))}", ""]
    lines += ["[parameters]"]
    lines += [f'"{name}" = {{ dictionary = "d{number}", probability = 0.7 }}' for number, name in enumerate(values)]
    return "\n".join(lines)


def test_whatever_is_sent_is_answered_as_the_reference_says(acme, server, tmp_path):
    seeds.seed(acme)
    key = seeds.key_without_limit(acme)

    verdict = fuzz(server, tmp_path, key=key, host=f"acme.{settings.BASE_DOMAIN}", values=seeds.values())

    assert verdict == 0
    assert ledger.verify() == []


def test_with_the_ids_of_another_tenant_nothing_is_found_and_nothing_changes(acme, bolt, server, tmp_path):
    _number_rows_from(NUMBERS_FROM)
    seeds.seed(acme)
    values = seeds.values()
    before = _everything()
    with context.in_tenant("t_bolt"):
        key = seeds.key_without_limit(bolt)

    verdict = fuzz(
        server,
        tmp_path,
        key=key,
        host=f"bolt.{settings.BASE_DOMAIN}",
        values=values,
        FUZZ_OF_OTHERS=r"77000\d{4}|Bring a friend|Every order",
    )

    assert verdict == 0
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
