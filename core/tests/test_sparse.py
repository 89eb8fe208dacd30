from typing import Any

import pytest

from core.errors import code_of
from core.http import sparse
from core.http.sparse import UnknownField

# `more` holds names of the tenant's own.
KNOWN: dict[str, Any] = {"id": {}, "campaign": {"id": {}, "name": {}}, "more": None}
ROW = {"id": 1, "campaign": {"id": 2, "name": "x"}, "more": {"a": {"b": 3}, "c": 4}}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ("id", {"id": 1}),
        ("campaign", {"campaign": {"id": 2, "name": "x"}}),
        ("campaign.id", {"campaign": {"id": 2}}),
        ("campaign.id,campaign.name", {"campaign": {"id": 2, "name": "x"}}),
        ("more.a.b", {"more": {"a": {"b": 3}}}),
        ("more.nobody", {"more": {}}),
        ("id,id", {"id": 1}),
    ],
)
def test_what_is_named_is_kept(fields, kept):
    assert sparse.keep(ROW, sparse.read(fields, known=KNOWN)) == kept


def test_of_a_list_each_is_made_sparse():
    assert sparse.keep([ROW, ROW], sparse.read("id", known=KNOWN)) == [{"id": 1}, {"id": 1}]


@pytest.mark.parametrize("fields", ["", "x", "id.x", "campaign.x", "campaign.", ".id", "id,", "more..a", "id id", "й"])
def test_what_there_is_not_is_refused_with_what_there_is(fields):
    with pytest.raises(UnknownField) as refused:
        sparse.read(fields, known=KNOWN)

    assert refused.value.code == code_of("UnknownField")
    assert refused.value.extra == {"known": ["id", "campaign", "campaign.id", "campaign.name", "more"]}
    assert [each["parameter"] for each in refused.value.errors] == ["fields"]
