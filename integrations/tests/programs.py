"""Programs that try things out: they call the API of a tenant's sandbox."""

from tenants import keys
from tenants.models import Tenant
from tests.programs import YEAR_BEGAN, Program, host_of

ADDRESS = "/api/v1/sandbox/"


def trying_out(tenant: Tenant, *scopes: str, environment: str = "sandbox") -> Program:
    """Return a program of `tenant` with a new test key, which may do everything unless scopes are given."""
    wanted = scopes or keys.ALL_SCOPES
    _row, key = keys.issue(tenant=tenant, environment=environment, name="test", scopes=wanted, at=YEAR_BEGAN)
    return Program(key, host=host_of(tenant))
