"""Which short names a tenant may have."""

import pytest

from tenants import slugs, spaces


@pytest.mark.parametrize("slug", ["a", "demo", "needle-and-groove", "a1", "a--b", "a" * 40])
def test_takes_plain_names(slug):
    assert slugs.find_fault(slug) is None


@pytest.mark.parametrize("slug", ["", "Demo", "1a", "-a", "a-", "a_b", "a b", "a.b", "дом", "a\n", "a" * 41])
def test_refuses_what_is_no_label_of_a_host_name(slug):
    assert str(slugs.find_fault(slug)).startswith("Use up to 40 small Latin letters")


@pytest.mark.parametrize("slug", ["www", "api", "admin", "public", "platform", "static", "template"])
def test_refuses_names_that_are_the_platforms(slug):
    assert str(slugs.find_fault(slug)) == "This name is reserved."


def test_refuses_the_name_of_somebodys_sandbox():
    assert str(slugs.find_fault("acme-sandbox")) == "Names of sandboxes end like this. Choose another."


def test_two_slugs_never_share_a_schema():
    assert [spaces.schema_for(slug) for slug in ("a-b", "a--b", "ab")] == ["t_a_b", "t_a__b", "t_ab"]
