"""People who are looked at, and what was seen of them."""

from datetime import timedelta

from antifraud.models import Listing, Signal
from members.identities import prepare
from tests.cast import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def sign_up(shop, name, *, invited_by=None, data=None, **identities):
    return shop.joins({"external_id": name, **identities}, invited_by=invited_by, **(data or {}))


def buys(shop, name, amount="500", **identities):
    return shop.pays({"external_id": name, **identities}, amount)


def seen_for(shop, name):
    """Return what was seen for the rewards that a member would get."""
    kept = Signal.objects.filter(member_id=shop.id_of(name)).order_by("pk")
    return list(kept.values_list("name", "weight", "verdict"))


def lookup_of(**identity):
    (kind, value) = next(iter(identity.items()))
    found = prepare(schema="t_acme", identities={"external_id": "x", kind: value}, region="RU")
    return next(each.lookup for each in found if each.kind == kind)


def listed(name, kind, lookup, **told):
    usual = {"answer": "flag" if name == "block" else "", "added_at": NOON}
    return Listing.objects.create(list=name, kind=kind, lookup=lookup, value="", **{**usual, **told})
