"""The script that pages load: what it is served with, and what it knows."""

import gzip
import json
import re

import pytest
from django.test import Client

from integrations.widget import script
from referrals.models import AttributionPolicy
from referrals.touch import Policy
from tenants import hosts
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

ADDRESS = "/widget.js"
SIZE_MAX_BYTES = 4096


def ask(host="acme.localhost", method="get", **headers):
    return getattr(Client(headers={"host": host}, raise_request_exception=False), method)(ADDRESS, headers=headers)


def settings_of(text):
    return json.loads(re.search(r"\}\)\((\{.*\})\);\s*$", text)[1])


def test_everybody_may_have_it_and_keep_it_for_a_little_while():
    answer = ask()

    assert answer.status_code == 200
    assert "Cookie" not in answer["Vary"]
    assert (answer["Content-Type"], answer["Cache-Control"]) == (
        "text/javascript; charset=utf-8",
        "public, max-age=600",
    )
    assert (answer["Cross-Origin-Resource-Policy"], answer["X-Content-Type-Options"]) == ("cross-origin", "nosniff")
    assert answer.cookies == {}
    assert [name for name in answer.headers if name.startswith("Access-Control-")] == []


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_who_has_it_already_hears_so_until_it_changes(encoding):
    first = ask(**{"accept-encoding": encoding})
    known = {"accept-encoding": encoding, "if-none-match": first["ETag"]}

    assert (ask(**known).status_code, ask(**known).content) == (304, b"")
    AttributionPolicy.objects.update(window_days=7)
    assert ask(**known).status_code == 200


def test_it_weighs_next_to_nothing():
    answer = ask(**{"accept-encoding": "gzip"})

    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content).decode() == ask().content.decode()
    # Without the random bytes that each answer has in its head.
    assert len(gzip.compress(ask().content, 6)) <= SIZE_MAX_BYTES


def test_it_knows_the_tenants_own_policy_and_language():
    AttributionPolicy.objects.update(window_days=7, touch="first", landing_url="https://shop.example/hello")

    acme, bolt = (settings_of(ask(host=f"{slug}.localhost").content.decode()) for slug in ("acme", "bolt"))

    assert {name: acme[name] for name in ("api", "days", "touch", "page", "language")} == {
        "api": f"{hosts.url_of('acme.localhost')}/api/v1/",
        "days": 7,
        "touch": "first",
        "page": "https://shop.example/hello",
        "language": "ru",
    }
    assert bolt == {
        "api": f"{hosts.url_of('bolt.localhost')}/api/v1/",
        "days": 30,
        "touch": "last",
        "page": "",
        "language": "en",
        "more": "Learn more",
    }


@pytest.mark.parametrize("host", ["acme.localhost:9999", "ACME.localhost", "acme.localhost.:7"])
def test_whoever_asks_in_an_odd_way_gets_what_others_may_be_given_from_a_cache(host):
    assert ask(host=host).content == ask().content


def test_an_address_cannot_end_the_script_that_names_it():
    page = 'https://shop.example/</script><script>alert(1)//");'
    text = script.text_of(api="https://acme.example/api/v1/", policy=Policy(landing_url=page), language="en")

    assert "</script" not in text
    assert settings_of(text)["page"] == page


def test_staffs_own_language_is_not_everybodys():
    person = staff_of("admin")

    text = browser_of(person).get(ADDRESS).content.decode()

    assert (person.language, settings_of(text)["language"]) == ("en", "ru")


@pytest.mark.parametrize(
    ("host", "method", "status"),
    [("localhost", "get", 404), ("nobody.localhost", "get", 404), ("acme.localhost", "post", 405)],
)
def test_elsewhere_there_is_none(host, method, status):
    assert ask(host=host, method=method).status_code == status
