import pytest

from tenants.models import Tenant
from tests.programs import Program, program_of


@pytest.fixture
def shop(acme: Tenant) -> Program:
    """Return Acme's shop, which reports events and reads them."""
    return program_of(acme, "events:write", "events:read")
