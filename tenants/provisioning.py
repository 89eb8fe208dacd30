"""Making a tenant: its space, its sandbox, its first admin and its first pair of keys, all of it or nothing."""

import re
import secrets
import zoneinfo
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.contrib.auth import get_user_model, password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from core import codes, money
from core.db import in_transaction, transaction
from core.errors import FieldError, Invalid, conflict_of, type_of_text
from tenants import context, hosts, keys, roles, slugs, spaces
from tenants.models import Domain, Tenant

NAME_LENGTH_MAX = 100
USERNAME_LENGTH_MAX = 150
# 78 bits, of characters that are not taken for one another.
PASSWORD_LENGTH = 16


class InvalidTenant(Invalid):
    """A new tenant's values make no sense, or its slug is taken. `errors` says which."""

    message = _("The tenant cannot be created like this.")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a new tenant should be."""

    name: str
    slug: str
    time_zone: str
    currency: str
    language: str
    admin_username: str
    admin_password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Created:
    """A new tenant, and the secrets that cannot be had again."""

    tenant: Tenant
    admin_username: str
    admin_password: str = field(repr=False)
    live_key: str = field(repr=False)
    test_key: str = field(repr=False)


def create(  # noqa: PLR0913 (what a tenant is)
    *,
    name: str,
    slug: str,
    time_zone: str,
    currency: str,
    language: str,
    admin_username: str = "admin",
    admin_password: str | None = None,
    at: datetime,
) -> Created:
    """
    Make a tenant that works: it can be logged in to, and events can be sent to it and to its sandbox.

    :raises InvalidTenant: with one entry of `errors` for each value that makes no sense.
    """
    wish = Wish(
        name=name.strip(),
        slug=slug,
        time_zone=time_zone,
        currency=currency,
        language=language,
        admin_username=admin_username,
        admin_password=new_password() if admin_password is None else admin_password,
    )
    errors = list_faults(wish=wish)
    if errors:
        raise InvalidTenant(errors=errors)
    try:
        with transaction():
            return add(wish=wish, at=at)
    except IntegrityError as error:
        # Somebody else has just taken it, after we looked.
        if re.search("slug|schema_name|domain", conflict_of(error)):
            raise InvalidTenant(errors=[_taken()]) from error
        raise


def new_password() -> str:
    """Return a password that nobody has thought of."""
    return "".join(secrets.choice(codes.KEY_PREFIX_ALPHABET) for _each in range(PASSWORD_LENGTH))


def list_faults(*, wish: Wish) -> list[FieldError]:
    """Return what speaks against a tenant, each with a pointer to the value."""
    return [*_faults_of_tenant(wish), *_faults_of_admin(wish.admin_username, wish.admin_password)]


@in_transaction
def add(*, wish: Wish, at: datetime) -> Created:
    """Make a tenant, of whom `list_faults` has nothing to say, inside somebody's transaction."""
    tenant = spaces.make(
        name=wish.name,
        slug=wish.slug,
        time_zone=wish.time_zone,
        currency=wish.currency,
        language=wish.language,
        live=None,
        at=at,
    )
    with context.in_tenant(tenant.schema_name):
        roles.add_staff(
            username=wish.admin_username,
            password_hash=make_password(wish.admin_password),
            role=roles.ADMIN,
            at=at,
        )
    # The first test key brings the sandbox, and that the admin who was just added.
    live_key = _first_key(tenant, Tenant.Environment.LIVE, _("First live key"), at)
    test_key = _first_key(tenant, Tenant.Environment.SANDBOX, _("First test key"), at)
    return Created(
        tenant=tenant,
        admin_username=wish.admin_username,
        admin_password=wish.admin_password,
        live_key=live_key,
        test_key=test_key,
    )


def _first_key(tenant: Tenant, environment: str, name: type_of_text, at: datetime) -> str:
    with translation.override(tenant.language):
        return keys.add(tenant=tenant, environment=environment, name=str(name), scopes=keys.ALL_SCOPES, at=at)[1]


def _faults_of_tenant(wish: Wish) -> list[FieldError]:
    errors = []
    if not 1 <= len(wish.name) <= NAME_LENGTH_MAX or not wish.name.isprintable():
        errors.append(FieldError(pointer="/name", detail=_("Give a name of 1 to 100 characters.")))
    fault = slugs.find_fault(wish.slug)
    if fault is not None:
        errors.append(FieldError(pointer="/slug", detail=fault))
    elif _is_taken(wish.slug):
        errors.append(_taken())
    if wish.time_zone not in zoneinfo.available_timezones():
        errors.append(FieldError(pointer="/time_zone", detail=_("This is not a time zone, such as Europe/Moscow.")))
    if not money.is_currency(wish.currency):
        errors.append(FieldError(pointer="/currency", detail=money.UnknownCurrency.message))
    if wish.language not in dict(settings.LANGUAGES):
        errors.append(FieldError(pointer="/language", detail=_("This language is not one of ours.")))
    return errors


def _faults_of_admin(username: str, password: str) -> list[FieldError]:
    errors = []
    try:
        get_user_model().username_validator(username)
    except ValidationError as error:
        errors += [FieldError(pointer="/admin_username", detail=sentence) for sentence in error.messages]
    if len(username) > USERNAME_LENGTH_MAX:
        errors.append(FieldError(pointer="/admin_username", detail=_("This user name is too long.")))
    try:
        password_validation.validate_password(password)
    except ValidationError as error:
        errors += [FieldError(pointer="/admin_password", detail=sentence) for sentence in error.messages]
    return errors


def _is_taken(slug: str) -> bool:
    with context.in_public():
        return Tenant.objects.filter(slug=slug).exists() or Domain.objects.filter(domain=hosts.name_for(slug)).exists()


def _taken() -> FieldError:
    return FieldError(pointer="/slug", detail=_("Another tenant has this name already."))
