"""The member that a row of the API names, as `?expand=member` shows them."""

from core.http.expansions import Expansion
from members import search
from members.api.members import KnownMemberOutput

MEMBER = Expansion(by="member_id", scope="members:read", look_up=search.in_bulk, shape=KnownMemberOutput)
