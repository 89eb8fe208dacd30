"""What a webhook can be told of. That it is all there is, every test holds its facts to (tests/catalogue.py)."""

import ast
import json
import re

import jsonschema
import pytest

from integrations.webhooks import kinds, payloads
from tests import catalogue
from tests.cast import NOON
from tests.checkout import sources


@pytest.mark.parametrize("kind", [*kinds.ALL.values(), kinds.TEST], ids=lambda kind: kind.name)
def test_every_example_is_as_its_schema_says(kind):
    jsonschema.Draft202012Validator.check_schema(kind.schema)
    jsonschema.validate(kind.example, kind.schema)

    assert set(kind.example) <= set(kind.schema["properties"])
    assert kind.object_key == "" or kind.object_key in kind.schema["properties"]
    assert str(kind.label) != ""


@pytest.mark.parametrize("kind", [*kinds.ALL.values(), kinds.TEST], ids=lambda kind: kind.name)
def test_a_whole_message_is_as_its_schema_says(acme, kind):
    schema = payloads.schema_of(kind)
    jsonschema.Draft202012Validator.check_schema(schema)

    message = json.loads(payloads.of_example(kind=kind, message_id="msg_1", endpoint_id=1, at=NOON))

    jsonschema.validate(message, schema)
    assert (message["test"], message["type"], message["environment"]) == (True, kind.name, "live")


def test_every_kind_that_the_code_names_is_in_the_catalogue():
    named = {kind for text in _of_facts() for kind in _kinds_in(text)}

    assert named - set(kinds.ALL) == set()
    assert len(named) >= 15


def _of_facts() -> list[str]:
    return [text for name, text in sources() if "Fact(" in text and "/tests/" not in name and "events/" not in name]


def _kinds_in(text: str) -> set[str]:
    """Return the first argument of each `Fact(…)` that is written out."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    facts = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "Fact"]
    given = [*(node.args[0] for node in facts if node.args)]
    given += [each.value for node in facts for each in node.keywords if each.arg == "kind"]
    named = [str(node.value) for node in given if isinstance(node, ast.Constant)]
    return {name for name in named if re.match(r"[a-z]+\.", name)}


def test_a_fact_that_the_catalogue_lacks_is_noticed():
    with pytest.raises(AssertionError, match="give it an entry"):
        catalogue.hold("reward.lost_in_space", {})
    with pytest.raises(AssertionError, match="does not say what that is"):
        catalogue.hold("reward.granted", {"reward_id": 1, "kind": "points", "what": "", "colour": "red"})
    with pytest.raises(jsonschema.ValidationError):
        catalogue.hold("reward.granted", {"reward_id": "one", "kind": "points", "what": ""})
