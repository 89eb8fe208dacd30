"""Every sentence has its translations. After a change of sentences: `manage.py collect_messages`, then translate."""

import re

import pytest
from django.utils.translation import gettext, ngettext, override

from config import messages

LOCALES = tuple(messages.PLURALS)
HOLES = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def found():
    return messages.collect()


@pytest.fixture(params=LOCALES)
def locale(request):
    return request.param


def test_finds_sentences_in_code_in_templates_and_in_libraries(found):
    assert found[messages.Message("The request is not valid.")] == {"core/errors.py"}
    assert found[messages.Message("Nothing waits.")] == {"templates/admin/index.html"}
    assert found[messages.Message("Go back")] == {"unfold/templates/unfold/helpers/header_back_button.html"}


def test_finds_sentences_of_several_lines_plurals_and_contexts(tmp_path):
    (tmp_path / "page.py").write_text('ngettext("%(n)s cat",\n "%(n)s cats", n)\npgettext("of a door", "Open" "ed")\n')
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "page.html").write_text(
        '<p title="{{ _("Cat\'s page")|escape }}">{% comment %} (\n{% endcomment %}\n'
        "  <b>{% blocktranslate trimmed %}\n    Two\n    lines{% endblocktranslate %}</b>\n</p>"
    )

    assert messages.messages_in(tmp_path, base=tmp_path) == {
        messages.Message("%(n)s cat", plural="%(n)s cats"): {"page.py"},
        messages.Message("Opened", context="of a door"): {"page.py"},
        messages.Message("Cat's page"): {"templates/page.html"},
        messages.Message("Two lines"): {"templates/page.html"},
    }


def test_what_is_kept_is_what_is_in_the_code(locale, found):
    kept = messages.file_of(locale).read_text(encoding="utf-8")

    assert kept == f"{messages.updated(locale, found=found)}", "Run `manage.py collect_messages`."


def test_every_sentence_is_translated(locale):
    missing = [entry.msgid for entry in messages.read(locale) if not all(_translations(entry)) or entry.fuzzy]

    assert missing == []


def test_every_plural_has_all_its_forms(locale):
    forms, _rule = messages.PLURALS[locale]
    plurals = [entry for entry in messages.read(locale) if entry.msgid_plural]

    assert plurals
    assert [entry.msgid for entry in plurals if sorted(entry.msgstr_plural) != [*range(forms)]] == []


def test_translations_fill_in_the_same_values(locale):
    wrong = [
        (entry.msgid, translation)
        for entry in messages.read(locale)
        for translation in _translations(entry)
        if _holes(translation) != _holes(entry.msgid_plural or entry.msgid)
    ]

    assert wrong == []


def test_russian_keeps_the_spaces_around_a_joining_word():
    single = [entry for entry in messages.read("ru") if not entry.msgid_plural]
    joining = {entry.msgid: entry.msgstr for entry in single if entry.msgid.strip() != entry.msgid}

    assert {text: translation for text, translation in joining.items() if _ends(text) != _ends(translation)} == {}


def test_no_sentence_stands_there_with_two_plurals(found):
    # A catalogue could keep only one of them.
    assert len({(message.text, message.context) for message in found}) == len(found)


def test_django_speaks_them():
    with override("ru"):
        assert gettext("The request is not valid.") == "Неверный запрос.", "Run `make messages`."
        assert [ngettext("%(points)s point", "%(points)s points", number) for number in (1, 3, 5)] == [
            "%(points)s балл",
            "%(points)s балла",
            "%(points)s баллов",
        ]
    with override("zh-hans"):
        assert gettext("No results found") == "没有找到结果"


def _translations(entry):
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def _holes(text):
    return set(HOLES.findall(text))


def _ends(text):
    return [text.startswith(" "), text.endswith(" ")]
