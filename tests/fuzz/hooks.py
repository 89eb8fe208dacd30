"""What schemathesis loads (`SCHEMATHESIS_HOOKS`): what it is to look at besides, to have ready, and to count."""

from tests.fuzz import blanks, fresh, leaks, sparse, supplies, tally

__all__ = ["blanks", "fresh", "leaks", "sparse", "supplies", "tally"]
