"""What is told to a person of how they were judged: by which signals, and on which lists they stand."""

from collections.abc import Iterator, Sequence

from members.exporting import rows, type_of_section


def of_members(*, member_ids: Sequence[int]) -> Iterator[type_of_section]:
    """Yield what was seen of a person's rewards, and the lines of lists about them. Evidence speaks of others."""
    yield "signals", rows(SIGNALS, member_ids=member_ids)
    yield "lists", rows(LISTS, member_ids=member_ids)


SIGNALS = """
SELECT id, name AS signal, weight, verdict, at FROM antifraud_signal
WHERE member_id = ANY(%(member_ids)s::bigint[]) AND NOT is_shadow AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""

LISTS = """
SELECT l.id, l.list, l.kind, l.answer, l.until, l.added_at FROM antifraud_listing l
WHERE l.id > %(after)s AND (
    (l.kind = 'member' AND l.lookup = ANY(%(member_ids)s::bigint[]::text[]))
    OR (l.kind, l.lookup) IN (
        SELECT kind, lookup FROM members_identity WHERE member_id = ANY(%(member_ids)s::bigint[])
    )
) ORDER BY l.id LIMIT %(limit)s
"""
