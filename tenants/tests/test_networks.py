import pytest

from tenants import networks


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.0/24 ", "203.0.113.0/24"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("2001:db8:0:0::1", "2001:db8::1"),
    ],
)
def test_an_address_or_a_network_is_stored_in_one_way(text, stored):
    assert networks.normalise(text) == stored


@pytest.mark.parametrize(
    "text", ["", "example.com", "203.0.113.7/24", "203.0.113.0/33", "0.0.0.0/0", "::/0", "1.2", "fe80::1%lo"]
)
def test_what_is_no_network_or_every_address_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        networks.normalise(text)


@pytest.mark.parametrize(
    ("address", "is_in"),
    [
        ("203.0.113.255", True),
        ("203.0.114.0", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("198.51.100.1", True),
        (None, False),
    ],
)
def test_an_address_is_looked_for_in_all_of_them(address, is_in):
    found = networks.read(["203.0.113.0/24", "2001:db8::/32", "198.51.100.1"])

    assert networks.has(found, address) is is_in
