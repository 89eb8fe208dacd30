"""What the guides show is what happens: their snippets are run in each language, and their answers compared."""

import json
import os

import pytest

from tests import webhooks
from tests.checkout import ROOT
from tests.guides import languages
from tests.guides.comparing import differences
from tests.guides.reading import LANGUAGES, blocks_of, languages_of, steps_of

GUIDES = {path.stem: path for path in sorted((ROOT / "docs/api").glob("*.md"))}
TRIED = ("quick-start", "checkout-loyalty", "telegram-referral", "errors", "idempotency", "webhooks", "verifying")
FOLLOWED = [(name, language) for name in TRIED for language in languages_of(GUIDES[name])]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("guide", "language"), FOLLOWED)
def test_a_guide_does_what_it_says(guide, language, reader, handle, tmp_path):
    follow(guide, language, folder=tmp_path, variables=reader, meanwhile=handle)


def follow(guide, language, **how):
    steps = [step for step in steps_of(GUIDES[guide]) if language in step.said]
    said = [step.said[language] for step in steps]

    printed = list(languages.run(language=language, steps=said, **how))

    for step, text in zip(steps, printed, strict=True):
        if step.answer is not None:
            assert differences(step.answer, json.loads(text)) == [], f"{step.said[language]}{text}"


@pytest.mark.django_db(transaction=True)
def test_the_message_that_a_guide_shows_is_one_that_its_reader_is_told(reader, handle, stand_in, tmp_path):
    follow("webhooks", "python", folder=tmp_path, variables=reader, meanwhile=handle)

    answers = [json.loads(text) for language, text in blocks_of(GUIDES["webhooks"]) if language == "json"]
    (shown,) = [each for each in answers if "sequence" in each]
    told, *again = [each for each in webhooks.told(stand_in.receiver) if each["data"].get("side") == "inviter"]
    assert differences(shown | {"tenant": "bolt-sandbox", "sequence": told["sequence"]}, told) == []
    assert again == [told]


def test_no_snippet_is_left_untried():
    spoken = {name: {language for language, _text in blocks_of(path)} for name, path in GUIDES.items()}

    assert {name for name, blocks in spoken.items() if blocks & set(LANGUAGES)} == set(TRIED)
    # Only to be read: a snippet under another name of its language would be, unseen.
    assert set.union(*spoken.values()) - set(LANGUAGES) == {"json", "text", "html"}


@pytest.mark.parametrize("guide", [name for name in TRIED if name not in {"quick-start", "verifying"}])
def test_a_guide_speaks_each_language_in_every_step(guide):
    said = [set(step.said) for step in steps_of(GUIDES[guide])]

    assert said == [set(languages.ALL)] * len(said)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guide", [name for name in TRIED if "sh" in languages_of(GUIDES[name])])
def test_a_guide_is_followed_where_the_machine_has_no_curl(guide, reader, handle, tmp_path):
    ours = {"PATH": f"{languages.CURL}{os.pathsep}{os.environ['PATH']}"}

    follow(guide, "sh", folder=tmp_path, variables={**reader, **ours}, meanwhile=handle)
