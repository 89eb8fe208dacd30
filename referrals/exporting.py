"""What is told of codes and referrals to a person: theirs, and of the others nothing but that there was somebody."""

from collections.abc import Iterator, Sequence

from members.exporting import rows, type_of_section


def of_members(*, member_ids: Sequence[int]) -> Iterator[type_of_section]:
    """Yield a person's codes, how they came, and when they brought others."""
    yield "codes", rows(CODES, member_ids=member_ids)
    yield "invited_by", rows(INVITED_BY, member_ids=member_ids)
    yield "invited", rows(INVITED, member_ids=member_ids)


CODES = """
SELECT id, text AS code, is_chosen, created_at FROM referrals_code
WHERE member_id = ANY(%(member_ids)s::bigint[]) AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""

INVITED_BY = """
SELECT r.id, r.channel, r.utm, r.attributed_at, r.qualified_at, click.at AS clicked_at
FROM referrals_referral r LEFT JOIN referrals_click click ON click.id = r.click_id
WHERE r.invitee_id = ANY(%(member_ids)s::bigint[]) AND r.id > %(after)s ORDER BY r.id LIMIT %(limit)s
"""

INVITED = """
SELECT id, channel, attributed_at, qualified_at FROM referrals_referral
WHERE inviter_id = ANY(%(member_ids)s::bigint[]) AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""
