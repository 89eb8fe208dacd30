from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from demo.days import Days

# An evening in New York and the next morning in Moscow.
NOW = datetime(2026, 3, 18, 1, 30, tzinfo=UTC)


@pytest.fixture
def days() -> Days:
    """Give the record shop's days."""
    return Days(last_at=NOW, zone=ZoneInfo("America/New_York"))
