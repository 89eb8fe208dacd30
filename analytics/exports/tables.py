"""What an export says of a table: its columns, what they mean and the SQL of them."""

from typing import Final, NamedTuple

from members.names import is_own_id


class Column(NamedTuple):
    """One column: its name, what stands in it, and the SQL of it. `is_json` is a text that holds JSON."""

    name: str
    meaning: str
    sql: str
    is_json: bool = False


class Export(NamedTuple):
    """
    One table, which its SQL calls `t`: what it has, with what it is joined to, and when each row happened.

    Each row has an `id`, drawn from a sequence when it is written (`horizon`). `at` is empty where nobody notes when.
    `secret` names columns that take more than the right to export.
    """

    name: str
    meaning: str
    table: str
    joins: str
    at: str
    columns: tuple[Column, ...]
    secret: frozenset[str] = frozenset()

    def shown(self, *, with_secret: bool) -> tuple[Column, ...]:
        """Return the columns, or those of them that anybody who may export is given."""
        return tuple(each for each in self.columns if with_secret or each.name not in self.secret)


def own_id(member: str, alias: str) -> str:
    """Return a join that finds the tenant's own id of a member, or of whom they were merged into."""
    return f"""
    LEFT JOIN members_member {alias}_row ON {alias}_row.id = {member}
    LEFT JOIN members_identity {alias} ON {alias}.member_id = coalesce({alias}_row.merged_into_id, {alias}_row.id)
        AND {is_own_id(alias)}"""


def plain(*names: str, **meanings: str) -> tuple[Column, ...]:
    """Return columns of the table itself, by their names, with what they mean where the name does not say it."""
    return tuple(Column(name, meanings.get(name, ""), f"t.{name}") for name in (*names, *meanings))


ID: Final = Column("id", "Rows come in this order.", "t.id")
MEMBER: Final = (
    Column("member_id", "Our number of the member.", "t.member_id"),
    Column("external_id", "Your own id of the member.", "own.lookup"),
)
