"""Rows that a button speaks of."""

from typing import Any

from django.db.models import QuerySet

from core.errors import NotFound


def get_row(found: QuerySet[Any], row_id: int) -> Any:
    """
    Return one of the rows that somebody may see.

    :raises NotFound: when it is none of them.
    """
    row = found.filter(id=row_id).first()
    if row is None:
        raise NotFound
    return row
