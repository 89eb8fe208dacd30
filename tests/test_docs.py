"""The documents are held to the code: what they name is there, and what is there they name."""

import ast
import configparser
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.apps import apps
from django.core.management import get_commands

from config import reference
from core import codes
from core.errors import Failure, code_of
from core.http.problems import STATUS
from demo.businesses import PLATFORM_PASSWORD, PLATFORM_USERNAME, RECORD_SHOP, ROLES
from events.kinds import CUSTOM, FACTS, KINDS
from integrations.webhooks import signing
from tenants.keys import ALL_SCOPES
from tenants.models import ApiKey
from tests.checkout import PACKAGES, ROOT, own_models, sources
from tests.programs import program_of
from tests.walk import Asked, Place, places

API = sorted((ROOT / "docs/api").glob("*.md"))
EVENTS = ROOT / "docs/api/events.md"
FACTS_TOLD = ROOT / "docs/api/facts.md"
OPERATIONS = ROOT / "docs/api/operations.md"
ERROR_CODES = ROOT / "docs/api/error-codes.md"
AUTHENTICATION = ROOT / "docs/api/authentication.md"
FRONT_LINES_MAX = 150
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "demo/**/*.md", "benchmarks/*.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
)

# Folders that are made, and not kept.
MADE = {"staticfiles", "var", "__pycache__"}
# Variables by which our own processes speak to each other.
OWN_VARIABLES = {"SARAFAN_PROFILE"}
READERS = {"find", "text", "flag", "number", "choice", "words", "key", "keys", "url", "database"}
# A row that only ties two others.
NO_WORDS = {"CaseReward"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows_of(path: Path) -> Iterator[list[str]]:
    """Yield the cells of every row of every table."""
    for line in text_of(path).splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def blocks_of(path: Path, language: str) -> list[str]:
    """Return what stands in the blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(path), flags=re.MULTILINE | re.DOTALL)


# The environment


def variables_read() -> set[str]:
    """Return the names that the settings, the Procfile and gunicorn read from the environment."""
    found = set()
    for name, text in sources():
        if name.startswith("config/"):
            found |= {_name_in(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    found |= set(re.findall(r"\$\{(\w+)", text_of(ROOT / "Procfile")))
    found |= set(re.findall(r"environ(?:\.get\(|\[)['\"](\w+)", text_of(ROOT / "config/gunicorn.py")))
    return found - OWN_VARIABLES - {""}


def _name_in(call: ast.Call) -> str:
    """Return the variable that a call such as `env.text("NAME")` reads, or ""."""
    module, _dot, reader = ast.unparse(call.func).rpartition(".")
    first = call.args[0] if call.args else None
    # Within config/env.py the readers stand alone.
    if module in {"env", ""} and reader in READERS and isinstance(first, ast.Constant):
        return str(first.value)
    return ""


def test_every_variable_is_described_and_every_description_is_of_one():
    described = re.findall(r"^#? ?([A-Z][A-Z_]+)=", text_of(ROOT / ".env.example"), flags=re.MULTILINE)

    assert len(described) == len(set(described))
    assert set(described) == variables_read()


def test_the_readme_names_no_variable_that_is_not_read():
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", text_of(ROOT / "README.md"), flags=re.MULTILINE))

    assert {"DATABASE_URL", "BROKER_URL", "CACHE_URL", "SECRET_KEY", "ENCRYPTION_KEY", "BASE_DOMAIN", "HTTPS"} == named
    assert named <= variables_read()


# The architecture


def test_every_folder_has_its_line_and_every_line_its_folder():
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in MADE and any(path.iterdir())
    }
    lines = [row[0] for row in rows_of(ARCHITECTURE) if re.fullmatch(r"`\w+/`", row[0])]

    assert len(lines) == len(set(lines))
    assert {line.strip("`/") for line in lines} == folders


def floors() -> list[str]:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return [line.strip() for line in contracts["importlinter:contract:floors"]["layers"].strip().splitlines()]


def test_the_floors_are_those_that_the_linter_holds():
    block = next(block for block in blocks_of(ARCHITECTURE, "text") if re.search(r"^ *0 core$", block, re.MULTILINE))
    lines = [line.split(maxsplit=1) for line in block.splitlines()]

    assert [name for _number, name in lines] == floors()
    assert [int(number) for number, _name in lines] == [*range(len(lines) - 1, -1, -1)]


def test_every_package_stands_on_a_floor():
    assert set(PACKAGES) - {"tests", "benchmarks"} == {name for floor in floors() for name in floor.split(" | ")}


# The API


def test_every_kind_of_event_is_in_the_api_document_with_all_of_its_data():
    rows = {row[0]: row for row in rows_of(EVENTS) if len(row) == 3}

    for name, kind in KINDS.items():
        data = rows[f"`{name.replace('*', '<name>')}`"][2]
        fields = _fields_of(kind.schema) if name != CUSTOM else {}
        named = {field: f"**`{field}`**" in data for field in re.findall(r"`(\w+)`", data)}
        assert (name, named if name != CUSTOM else {}) == (name, fields)


def test_every_fact_that_starts_rules_is_in_the_api_document():
    assert {row[0].strip("`") for row in rows_of(FACTS_TOLD) if row[0].startswith(("`level.", "`referral."))} == set(
        FACTS
    )


def _fields_of(schema: dict[str, Any]) -> dict[str, bool]:
    """Return which fields a schema has, those within others too, and whether each is required."""
    found: dict[str, bool] = {}
    for name, inner in schema.get("properties", {}).items():
        if name != "extra":
            found[name] = name in schema.get("required", ())
            found |= _fields_of(inner.get("items", inner))
    return found


def operations_told() -> list[tuple[str, str, str]]:
    """Return the name, the address and the scope of every operation that the page of them names."""
    rows = [[cell.replace("`", "") for cell in row] for row in rows_of(OPERATIONS) if len(row) == 4]
    return [(name, address, scope) for name, address, scope, _does in rows if "/api/v1/" in address]


def test_every_operation_is_in_the_api_document_with_its_scope():
    told = {address: scope for _name, address, scope in operations_told()}

    assert told == {f"{method} {place.path}": scope for place in _operations() for method, scope in _scopes_of(place)}


def test_an_operation_has_the_name_that_clients_know_it_by():
    """Whoever renames one breaks them."""
    described = reference.document()["paths"]

    told = {address: name for name, address, _scope in operations_told()}
    assert told == {
        f"{method.upper()} {path}": operation["operationId"]
        for path, methods in described.items()
        for method, operation in methods.items()
    }
    assert len(operations_told()) == len(told) == len(set(told.values()))


def test_operations_are_named_in_one_way():
    wrong = [name for name, *_rest in operations_told() if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)]
    generated = [name for name, *_rest in operations_told() if re.search(r"_(retrieve|partial_update|destroy)$", name)]

    assert (wrong, generated) == ([], [])


def _operations() -> list[Place]:
    values = {
        name: f"{{{name}}}"
        for name in (
            "external_id",
            "event_id",
            "campaign_id",
            "case_id",
            "what",
            "entitlement_id",
            "certificate_id",
            "reward_id",
            "referral_id",
            "adjustment_id",
            "payout_id",
            "gift_code",
            "purchase_id",
            "webhook_id",
            "delivery_id",
            "redemption_id",
        )
    }
    rest = dict.fromkeys(
        (
            "code",
            "page",
            "app_label",
            "url",
            "content_type_id",
            "object_id",
            "parcel_id",
            "path",
            "token",
            "certificate",
            "upload_id",
            "asset_id",
            "member_id",
            "span",
            "fixture",
        ),
        "x",
    )
    rows = {f"{model._meta.app_label}/{model._meta.model_name}": 1 for model in apps.get_models()}
    found = places("config.urls_tenant", Asked(rows=rows, values=values | rest))
    return [place for place in found if place.path.startswith("/api/v1/")]


def _scopes_of(place: Place) -> Iterator[tuple[str, str]]:
    """Return each method of an operation with its scope, or those of which any will do: all of them are any key's."""
    view = place.view.cls
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if hasattr(view, method.lower()):
            scopes = view.scopes_of(method)
            yield method, "any" if set(scopes) == set(ALL_SCOPES) else " or ".join(scopes)


def test_every_scope_is_in_the_api_document():
    assert [scope for scope in ALL_SCOPES if f"`{scope}`" not in text_of(AUTHENTICATION)] == []


def test_the_patterns_for_scanners_find_every_secret_and_nothing_that_is_public():
    patterns = re.findall(r"^(?:sk|whsec)_.*$", text_of(AUTHENTICATION), re.MULTILINE)
    keys = {kind: [codes.new_key(place, kind).full for place in ("live", "sandbox")] for kind in ApiKey.Kind.values}
    secrets = [*keys["secret"], *(signing.secret_of(bytes([each] * signing.KEY_SIZE_BYTES)) for each in range(256))]

    found = [secret for secret in secrets for pattern in patterns if re.search(pattern, f"({secret})")]
    assert (len(patterns), found) == (2, secrets)
    assert [key for key in keys["publishable"] for pattern in patterns if re.search(pattern, key)] == []


def test_the_front_page_leads_to_every_other_page_and_stays_short():
    front = text_of(ROOT / "docs/api/README.md")

    assert [path.name for path in API if f"]({path.name})" not in front] == ["README.md"]
    assert len(front.splitlines()) <= FRONT_LINES_MAX


def failures() -> set[type[Failure]]:
    """Return every failure that is defined anywhere in our packages."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not re.search(
                r"\.(tests|migrations|commands)\b|^(tests|benchmarks)\.|\.__main__$|gunicorn$", module.name
            ):
                importlib.import_module(module.name)
    found: set[type[Failure]] = set()
    waiting = [Failure]
    while waiting:
        below = waiting.pop().__subclasses__()
        found |= {each for each in below if ".tests." not in each.__module__}
        waiting += below
    return found


def codes_told(*, columns: int) -> dict[str, str]:
    """Return the status of each code: of those that the API answers with (four columns), or of the rest (three)."""
    rows = [row for row in rows_of(ERROR_CODES) if len(row) == columns and row[1].isdigit()]
    assert len(rows) == len({row[0] for row in rows})
    return {row[0].strip("`"): row[1] for row in rows}


def test_every_code_of_the_api_is_one_that_operations_name_and_says_what_to_do():
    named = set(reference.document()["components"]["examples"])

    assert named - set(codes_told(columns=4) | codes_told(columns=3)) == set()
    # Made before or after any operation.
    assert set(codes_told(columns=4)) - named == {"internal_server_error", "method_not_allowed"}
    assert [row[0] for row in rows_of(ERROR_CODES) if "" in row] == []


def test_a_code_is_told_of_once():
    assert set(codes_told(columns=4)) & set(codes_told(columns=3)) == set()


def test_every_failure_is_in_the_api_document_with_its_status():
    told = codes_told(columns=4) | codes_told(columns=3)
    families = dict(re.findall(r"`(\w+)` (\d{3})", text_of(ERROR_CODES).rpartition("six families")[2]))

    for failure in failures():
        status = str(next(status for family, status in STATUS.items() if issubclass(failure, family)))
        code = code_of(failure.__name__)
        assert (code, (told | families).get(code)) == (code, status)
    # Those that no failure of ours stands for come from Django and REST framework.
    assert set(told) - {code_of(failure.__name__) for failure in failures()} == {
        "authentication_failed",
        "bad_request",
        "body_too_large",
        "internal_server_error",
        "method_not_allowed",
        "not_acceptable",
        "not_authenticated",
        "service_unavailable",
        "still_writing",
        "too_slow",
        "too_many_guesses",
        "unsupported_media_type",
    }


# What is shown can be done


def events_shown() -> list[dict[str, Any]]:
    """Return the bodies of events in the documents, in the order in which they stand."""
    shown = [json.loads(block) for block in blocks_of(EVENTS, "json")]
    curled = re.findall(r"api_events -d '(.*?)'(?= |$)", _readme_lines(), flags=re.MULTILINE)
    return [body for body in [*shown, *map(json.loads, curled)] if {"kind", "data"} <= set(body) or "events" in body]


def _readme_lines() -> str:
    block = next(block for block in blocks_of(ROOT / "README.md", "sh") if "curl" in block)
    return re.sub(r"\s*\n\s+", " ", block).replace("'$CODE'", "A-CODE").replace("$API/events", "api_events")


@pytest.mark.django_db
def test_the_events_in_the_documents_are_taken(acme):
    program = program_of(acme, "events:write")

    answers = [program.post(body) for body in events_shown()]

    assert len(answers) == 3
    for answer in answers:
        assert answer.status_code == 202
        assert [each for each in answer.json().get("events", []) if "error" in each] == []


# All documents


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if not re.match(r"https?:", target):
            place, _hash, heading = target.partition("#")
            found = path.parent / place if place else path
            assert (target, found.exists()) == (target, True)
            assert not heading or heading in _headings_of(found)


def _headings_of(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text_of(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_is_named_is_there(path):
    named = re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|md|toml|html|csv|txt|example)|(?:[\w-]+/)+)`", text_of(path))

    assert [name for name in named if name != "/" and not _is_there(name, path)] == []


def _is_there(name: str, document: Path) -> bool:
    # One without a folder may be every package's own: "`admin.py` of the model's package".
    is_somewhere = "/" not in name.rstrip("/") and any(ROOT.glob(f"*/{name}"))
    return is_somewhere or (ROOT / name).exists() or (document.parent / name).exists()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_name_in_the_code_that_is_named_is_there(path):
    names = re.findall(rf"`((?:{'|'.join(PACKAGES)})\.[\w.]+)`", text_of(path))

    assert [name for name in names if not _is_in_the_code(name) and name not in current_app.tasks] == []


def _is_in_the_code(name: str) -> bool:
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*##", text_of(ROOT / "Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_that_is_named_is_there(path):
    made = set(re.findall(r"(?:^|`|PORT=\d+ )make ([a-z-]+)(?=`| |$)", text_of(path), flags=re.MULTILINE))
    managed = set(re.findall(r"manage\.py ([a-z_]+)", text_of(path)))

    assert made <= targets()
    assert managed <= set(get_commands())


def test_the_two_commands_are_in_the_readme():
    assert {"run", "test", "clean", "help"} <= set(re.findall(r"make ([a-z]+)", text_of(ROOT / "README.md")))


def test_the_readme_lets_one_in():
    readme = text_of(ROOT / "README.md")

    told = (RECORD_SHOP.slug, RECORD_SHOP.password, PLATFORM_USERNAME, PLATFORM_PASSWORD, *ROLES)
    assert [each for each in told if each not in readme] == []


def test_decisions_are_numbered_without_gaps_and_say_why():
    paths = sorted((ROOT / "docs/adr").glob("*.md"))

    assert [path.name[:5] for path in paths] == [f"{number:04}-" for number in range(1, len(paths) + 1)]
    for number, path in enumerate(paths, start=1):
        text = text_of(path)
        assert text.startswith(f"# {number}. ")
        assert [word for word in ("**Context.**", "**Decision.**", "**Consequences.**") if word not in text] == []
        assert len(text.splitlines()) <= 30


# Words


def test_every_model_has_its_word_in_the_glossary():
    words = {re.sub(r"\*\*(.+?)\*\*", r"\1", row[0]) for row in rows_of(ROOT / "GLOSSARY.md")}
    known = {word.lower() for each in words for word in each.split(", ")}

    missing = [
        f"{model.__name__}: {model._meta.verbose_name}"
        for model in own_models()
        if model.__name__ not in NO_WORDS and str(model._meta.verbose_name).lower() not in known
    ]
    assert missing == []


def test_the_glossary_has_each_word_once():
    words = [row[0] for row in rows_of(ROOT / "GLOSSARY.md") if row[0].startswith("**")]

    assert len(words) == len(set(words))
    assert len(words) > 50
