"""The demo, before anything has happened in it."""

from datetime import datetime
from pathlib import Path

from demo import access, tenants, window
from demo.businesses import BUSINESSES


def ensure(*, path: Path, at: datetime) -> list[str]:
    """
    Have both businesses there, somebody for the platform's admin, and at `path` how to get in.

    Return the names of what was made now: nothing at a second time.
    """
    known = access.read(path)
    told = dict(zip(BUSINESSES, (known, access.within(known.get("second_tenant"))), strict=True))
    made: list[str] = []
    shown = []
    for business in BUSINESSES:
        ensured = tenants.ensure(business=business, at=at)
        made += [business.name] if ensured.keys else []
        keys = ensured.keys or access.keys_in(told[business], tenant=ensured.tenant, at=at)
        missing = [word for word in access.ENVIRONMENTS if word not in keys]
        keys |= {word: tenants.add_key(tenant=ensured.tenant, word=word, at=at) for word in missing}
        shown.append((business, {word: keys[word] for word in access.ENVIRONMENTS}))
    tenants.ensure_platform_staff(at=at)
    shop = window.ensure(business=BUSINESSES[0], told=access.within(known.get("shop")), at=at)
    access.write(path, businesses=shown, shop=shop)
    return made
