"""The back office's bases."""

from datetime import UTC, datetime, timedelta

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.translation import override

from core.backoffice import changes_of, link, post_button
from core.backoffice.links import back
from core.templatetags.backoffice import ago


class Form(forms.Form):
    name = forms.CharField()
    points = forms.IntegerField(required=False)
    password = forms.CharField(widget=forms.PasswordInput)


def test_a_change_is_told_from_what_to_what():
    form = Form({"name": "Anna", "points": "", "password": "x"}, initial={"name": "Ann", "points": 5, "password": "x"})

    assert form.is_valid()
    assert changes_of(form) == {"name": ["Ann", "Anna"], "points": ["5", ""]}


def test_a_password_is_never_told():
    form = Form({"name": "Anna", "password": "new secret"}, initial={"name": "Anna", "password": "old secret"})

    assert form.is_valid()
    assert changes_of(form) == {"password": ["•••", "•••"]}


def test_a_button_says_what_it_is_given_and_no_more():
    button = post_button("<b>", '/x/"onclick="', tone="good", title='"')

    assert "<b>" not in button
    assert 'formaction="/x/&quot;onclick=&quot;"' in button
    assert 'formmethod="post"' in button


def test_a_link_escapes_its_text():
    assert ">&lt;i&gt;<" in link("<i>", "/x/")


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1\xa0minute ago"),
        (timedelta(hours=2, minutes=5), "2\xa0hours ago"),
    ],
)
def test_an_instant_is_told_by_how_long_ago_it_was(before, told, settings):
    settings.CLOCK = "core.tests.test_backoffice.noon"

    assert ago(noon() - before) == told


def noon():
    return datetime(2026, 3, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "1,222 −1,234,567 999"), ("ru", "1\xa0222 −1\xa0234\xa0567 999"), ("zh-hans", "1,222 −1,234,567 999")],
)
def test_a_figure_is_grouped_as_the_reader_groups_it(language, expected):
    template = Template("{% load backoffice %}{{ some|whole }} −{{ many|whole }} {{ few|whole }}")

    with override(language):
        assert template.render(Context({"some": 1222, "many": 1234567, "few": 999})) == expected


@pytest.mark.parametrize(
    ("referer", "expected"),
    [
        ("http://shop.localhost/admin/x/?p=2", "/admin/x/?p=2"),
        ("http://shop.localhost/admin/x/", "/admin/x/"),
        ("http://evil.example/admin/x/", "/home/"),
        ("http://shop.localhost//evil.example/x", "/%2Fevil.example/x"),
        ("javascript:alert(1)", "/home/"),
        ("", "/home/"),
    ],
)
def test_one_comes_back_to_our_own_pages_only(referer, expected):
    request = RequestFactory().post("/act/", headers={"host": "shop.localhost", "referer": referer})

    assert back(request, otherwise="/home/") == expected


@pytest.mark.parametrize(("said", "expected"), [("/admin/x/?p=2", "/admin/x/?p=2"), ("//evil.example/", "/from/")])
def test_a_page_that_stands_between_says_where_one_was(said, expected):
    request = RequestFactory().post(
        "/act/", {"back": said}, headers={"host": "shop.localhost", "referer": "http://shop.localhost/act/"}
    )

    assert back(request, otherwise="/from/") == expected
