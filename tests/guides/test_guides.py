"""What the guides show is what happens: their snippets are run in each language, and their answers compared."""

import json

import pytest

from tests.checkout import ROOT
from tests.guides import languages
from tests.guides.comparing import differences
from tests.guides.reading import languages_of, steps_of

GUIDES = {path.stem: path for path in sorted((ROOT / "docs/api").glob("*.md"))}
TRIED = ("quick-start", "checkout-loyalty", "telegram-referral", "errors", "idempotency", "verifying")
# The guides, and the pages of reference: their snippets show a form, and cannot be followed.
TOLD = {"README", "CHANGELOG", "webhooks", "versions", "going-live"}
FOLLOWED = [
    (name, language) for name in TRIED for language in languages_of(GUIDES[name]) if language not in languages.MISSING
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("guide", "language"), FOLLOWED)
def test_a_guide_does_what_it_says(guide, language, reader, handle, tmp_path):
    steps = [step for step in steps_of(GUIDES[guide]) if language in step.said]
    said = [step.said[language] for step in steps]

    printed = list(languages.run(language=language, steps=said, folder=tmp_path, variables=reader, meanwhile=handle))

    for step, text in zip(steps, printed, strict=True):
        if step.answer is not None:
            assert differences(step.answer, json.loads(text)) == [], f"{step.said[language]}{text}"


def test_no_guide_is_left_untried():
    assert set(GUIDES) == {*TRIED, *TOLD}


@pytest.mark.parametrize("guide", [name for name in TRIED if name not in {"quick-start", "verifying"}])
def test_a_guide_speaks_each_language_in_every_step(guide):
    said = [set(step.said) for step in steps_of(GUIDES[guide])]

    assert said == [set(languages.ALL)] * len(said)
