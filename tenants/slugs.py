"""A tenant's short name, which stands in its host name and in its schema's name."""

import re
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.sandboxes import SUFFIX

LENGTH_MAX: Final = 40

# RFC 1123: a label of a host name ends in a letter or a digit.
PATTERN: Final = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")

# Names that people would take for the platform's own, or that the platform may need as hosts one day.
RESERVED: Final = frozenset(
    {"admin", "api", "app", "assets", "auth", "billing", "blog", "cdn", "dashboard", "docs", "ftp", "help", "localhost"}
    | {"login", "mail", "media", "metrics", "ns1", "ns2", "platform", "public", "root", "sandbox", "sarafan", "signup"}
    | {"smtp", "static", "status", "support", "system", "template", "test", "www"}
)


def find_fault(slug: str) -> str | Promise | None:
    """Return what speaks against a slug, in a sentence, or None."""
    if len(slug) > LENGTH_MAX or not PATTERN.fullmatch(slug):
        return _("Use up to 40 small Latin letters, digits and hyphens, with a letter first and no hyphen at the end.")
    if slug in RESERVED:
        return _("This name is reserved.")
    if slug.endswith(SUFFIX):
        return _("Names of sandboxes end like this. Choose another.")
    return None
