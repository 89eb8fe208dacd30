import pytest

from tenants import origins


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("https://shop.example.com", "https://shop.example.com"),
        (" HTTPS://Shop.Example.com:443/ ", "https://shop.example.com"),
        ("https://shop.example.com:8443", "https://shop.example.com:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("https://münchen.de", "https://xn--mnchen-3ya.de"),
    ],
)
def test_an_origin_is_stored_as_browsers_write_it(text, stored):
    assert origins.normalise(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "null",
        "shop.example.com",
        "https://*.example.com",
        "https://shop.example.com/cart",
        "https://shop.example.com?x=1",
        "https://anna@shop.example.com",
        "http://shop.example.com",
        "https://shop.example.com:99999",
        "https://shop..example.com",
        "https://",
        "ftp://shop.example.com",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_origin_or_is_not_safe_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        origins.normalise(text)
