import pytest
from django.test import RequestFactory

from core.callers import subscriber_of
from core.http import address_of


def asked(forwarded="", remote="10.0.0.1"):
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    return RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("", "10.0.0.1"),
        ("unknown", None),
    ],
)
def test_behind_a_proxy_it_is_what_the_proxy_says_last(settings, forwarded, address):
    settings.HTTPS = True

    assert address_of(asked(forwarded)) == address


def test_without_a_proxy_nobody_is_believed(settings):
    settings.HTTPS = False

    assert address_of(asked("203.0.113.7")) == "10.0.0.1"
    assert address_of(asked(remote="")) is None


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1::"),
        ("2001:db8:0:1:bbbb::2", "2001:db8:0:1::"),
        ("2001:db8:0:2::1", "2001:db8:0:2::"),
        (None, None),
    ],
)
def test_all_addresses_of_one_subscriber_are_theirs(address, whose):
    assert subscriber_of(address) == whose
