from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals import landing


def address(url, *, utm=None, click_key="k"):
    return landing.address(landing_url=url, code="CODE", click_key=click_key, utm=utm or {})


def test_the_code_and_the_click_are_added():
    assert address("https://shop.example/hello") == "https://shop.example/hello?ref=CODE&click_id=k"


def test_a_click_that_was_not_counted_is_not_named():
    assert address("https://shop.example", click_key=None) == "https://shop.example?ref=CODE"


def test_the_page_s_own_query_and_fragment_stay():
    found = address("https://shop.example/?a=1&a=2&b=&ref=old&utm_term=x#top", utm={"source": "chat"})

    assert found == "https://shop.example/?a=1&a=2&b=&utm_term=x&ref=CODE&click_id=k&utm_source=chat#top"


def test_the_link_s_utm_counts_more_than_the_page_s():
    assert address("https://shop.example/?utm_source=page", utm={"source": "chat"}).endswith("&utm_source=chat")
    assert "page" not in address("https://shop.example/?utm_source=page", utm={"source": "chat"})


def test_what_a_visitor_sends_is_escaped():
    found = address("https://shop.example/", utm={"source": "a&ref=EVIL #\r\nX: y"})

    assert found == "https://shop.example/?ref=CODE&click_id=k&utm_source=a%26ref%3DEVIL+%23%0D%0AX%3A+y"


def test_utm_is_trimmed_and_the_rest_is_ignored():
    query = {"utm_source": "  chat\x00\n ", "utm_medium": "x" * 500, "utm_term": "", "utm_id": "7", "source": "no"}

    assert landing.utm_of(query) == {"source": "chat", "medium": "x" * 200}


def test_a_channel_is_trimmed():
    assert landing.channel_of({"ch": " telegram\u202e "}) == "telegram"
    assert landing.channel_of({"ch": "x" * 99}) == "x" * 50
    assert landing.channel_of({}) == ""


@pytest.mark.parametrize(
    ("url", "is_web"),
    [
        ("https://shop.example/", True),
        ("http://shop.example", True),
        ("javascript:alert(1)", False),
        ("ftp://shop.example/", False),
        ("data:text/html,x", False),
        ("//shop.example", False),
        ("/path", False),
        ("https://", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_only_pages_of_the_web_are_landed_on(url, is_web):
    assert landing.is_web(url) is is_web


@pytest.mark.parametrize(
    ("user_agent", "purpose", "is_robot"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "", False),
        ("", "", False),
        ("TelegramBot (like TwitterBot)", "", True),
        ("WhatsApp/2.23.20.0", "", True),
        ("facebookexternalhit/1.1", "", True),
        ("Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)", "", True),
        ("Slackbot-LinkExpanding 1.0", "", True),
        ("Mozilla/5.0 Chrome/126", "prefetch;prerender", True),
    ],
)
def test_robots_are_told_from_people(user_agent, purpose, is_robot):
    assert landing.is_robot(user_agent=user_agent, purpose=purpose) is is_robot


@given(utm=st.dictionaries(st.sampled_from(landing.UTM), st.text(min_size=1, max_size=300)))
def test_whatever_comes_as_utm_arrives_whole_and_nothing_else_does(utm):
    kept = landing.utm_of({f"utm_{name}": value for name, value in utm.items()})
    parts = urlsplit(address("https://shop.example/a?x=1", utm=kept))

    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "shop.example", "/a", "")
    wanted = {"x": ["1"], "ref": ["CODE"], "click_id": ["k"]}
    found = parse_qs(parts.query, keep_blank_values=True)
    assert found == wanted | {f"utm_{name}": [value] for name, value in kept.items()}
    assert all(len(value) <= landing.UTM_LENGTH_MAX for value in kept.values())
