"""
The wall: nothing of one tenant can be read or written by anybody of another.

Acme has a row of everything. Then strangers walk every address, of the API and of the back offices, with whatever they
have: their own keys, their own cookies, nothing; asking for Acme's rows by their true numbers and names.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from antifraud.models import Case, Listing, StopRule, Trip
from campaigns.models import Limit
from core.backoffice import platform_site, tenant_site
from core.db import execute, fetch
from events.models import Event
from integrations.models import Delivery, Endpoint
from integrations.webhooks import secrets
from members import people
from referrals.models import Code, Referral
from rewards import entitlements
from rewards.certificates import page, uploads
from rewards.models import (
    Adjustment,
    Asset,
    Entitlement,
    Gift,
    Level,
    Provider,
    Redemption,
    Reward,
    Standing,
    StockCode,
)
from rewards.tests import gifts
from tenants import audit, context, keys
from tenants.models import ApiKey, Domain, Tenant
from tests.cast import NOON, Shop, make_campaign
from tests.people import flag, staff_of
from tests.strangers import ANNA, program, send, told_by, visitor
from tests.walk import Asked, Place, places

TENANTS, PLATFORM = "config.urls_tenant", "config.urls_public"
API = "/api/v1/"

# Acme's rows have numbers that nobody else has, and Acme's people and things have its name in theirs.
NUMBERS_FROM = 770_000_001
OF_ACME = re.compile(r"acme|77000\d{4}", re.IGNORECASE)
# As above, without what stands on every page of Acme's own.
ROWS_OF_ACME = re.compile(r"acme-(?!sandbox)|Only for Acme|77000\d{4}")
# The pages of these have nothing in them that would tell one tenant from another.
NAMELESS = {"account", "rewardpolicy", "attributionpolicy", "fraudpolicy", "asset", "limit"}

# What everybody may see: where one logs in, the API's reference, where a shared link leads, and a script for any page.
OPEN = {"login", "schema", "docs", "guides", "guide", "link", "certificate-page", "widget"}


@pytest.fixture
def asked(acme) -> Asked:
    """Give Acme a row of everything, and return what to ask for."""
    _number_rows_from(NUMBERS_FROM)
    shop = Shop()
    campaign = make_campaign(name="Only for Acme", rule={"recipient": "both"})
    flag(shop, inviter=ANNA, friend="acme-boris")
    shop.joins("acme-clara", invited_by=ANNA)
    shop.pays("acme-clara", "500", order="acme-1001")
    Limit.objects.create(campaign=None, per="member", period="ever", max_count=10**6)
    stop_rule = StopRule.objects.create(campaign=campaign, threshold=100)
    Trip.objects.create(
        stop_rule=stop_rule,
        campaign=campaign,
        metric="rewards",
        figure=101,
        threshold=100,
        window_minutes=60,
        tripped_at=NOON,
    )
    Listing.objects.create(
        list="block", kind="external_id", lookup="acme-x", value="acme-x", answer="flag", added_at=NOON
    )
    level = Level.objects.create(code="gold", name="Only for Acme", threshold=100)
    Standing.objects.create(member_id=shop.id_of(ANNA), level=level, since=NOON)
    points = Asset.objects.get(code="points")
    of_anna = {"member_id": shop.id_of(ANNA), "asset": points, "amount": 5}
    adjustment = Adjustment.objects.create(
        key="acme-1", reason="acme-reason", status="waiting", asked_by="acme-marta", asked_at=NOON, **of_anna
    )
    payout = Redemption.objects.create(key="acme-2", purpose="payout", status="reserved", created_at=NOON, **of_anna)
    mug = Gift.objects.create(code="acme-mug", kind="product", name="acme-mug", asset=points, price=5)
    spent = {"created_at": NOON, **of_anna}
    held = Redemption.objects.create(key="acme-3", purpose="order", status="reserved", order_number="acme-9", **spent)
    bought = Redemption.objects.create(
        key="acme-4", purpose="purchase", status="captured", gift=mug, captured=5, settled_at=NOON, **spent
    )
    parcel = Entitlement.objects.create(
        key="acme-5", kind="product", gift=mug, member_id=shop.id_of(ANNA), status="placed", created_at=NOON
    )
    (given,) = gifts.give(
        gifts.gift("privilege", code="acme-gift", name="Only for Acme"), people.get_by_external_id(ANNA)
    )
    staff_of("marketer", username="acme-marta")
    audit.record(actor_kind="staff", actor="acme-marta", action="x.y", target="acme-thing", changes={}, at=NOON)
    keys.issue(tenant=acme, environment="live", name="acme-key", scopes=keys.ALL_SCOPES, at=NOON)
    brand, upload_id = _certificates(shop)
    certificate = Entitlement.objects.get(gift=brand)
    values = {
        "external_id": ANNA,
        **_webhooks(),
        "campaign_id": str(campaign.pk),
        "what": "members",
        "case_id": str(Case.objects.latest("pk").pk),
        "member_id": str(shop.id_of(ANNA)),
        "event_id": str(Event.objects.latest("pk").pk),
        "referral_id": str(Referral.objects.latest("pk").pk),
        "entitlement_id": str(given.pk),
        "certificate_id": str(certificate.pk),
        "certificate": page.token_of(certificate.pk),
        "upload_id": upload_id,
        "reward_id": str(Reward.objects.latest("pk").pk),
        "adjustment_id": str(adjustment.pk),
        "payout_id": str(payout.pk),
        "asset_id": str(points.pk),
        "gift_code": mug.code,
        "redemption_id": str(held.pk),
        "purchase_id": str(bought.pk),
        "parcel_id": str(parcel.pk),
        "path": "gifts/acme-nothing.png",
        "token": "x",
        "code": Code.objects.get(member=shop.id_of(ANNA)).text,
        "content_type_id": "1",
        "object_id": str(shop.id_of(ANNA)),
        "app_label": "staff",
        "span": "1d",
        "fixture": "referral",
        "page": "quick-start",
        "url": "nowhere/",
    }
    return Asked(rows=_rows(acme), values=values)


def _webhooks() -> dict[str, str]:
    """Give Acme a webhook, and something that was to be sent there; return what to ask for."""
    webhook = Endpoint.objects.create(
        url="https://acme-hooks.example.com/", kinds=["points.expired"], secret=secrets.new()[1], created_at=NOON
    )
    delivery = Delivery.objects.create(
        endpoint=webhook, kind="points.expired", message_id="acme-message", next_at=NOON, created_at=NOON
    )
    return {"webhook_id": str(webhook.pk), "delivery_id": str(delivery.pk)}


def _certificates(shop: Shop) -> tuple[Gift, str]:
    """Give Acme a brand with a stock and a provider, a certificate of it, and an upload that was looked through."""
    brand = Gift.objects.create(code="acme-coffee", kind="certificate", name="Only for Acme")
    Provider.objects.create(code="acme-giftly", name="Only for Acme", url="https://giftly.example/")
    StockCode.objects.create(gift=brand, code=entitlements.seal("acme-code"), code_index="x", uploaded_at=NOON)
    Entitlement.objects.create(
        key="acme-6", kind="certificate", gift=brand, member_id=shop.id_of(ANNA), status="waiting", created_at=NOON
    )
    return brand, uploads.prepare(
        schema="t_acme", gift=brand, content=b"acme-code-2", value_minor=5, expires_on=None, at=NOON
    )


def _number_rows_from(number: int) -> None:
    # Rolled back with everything else.
    sequences = fetch(
        "SELECT relname AS name FROM pg_class WHERE relkind = 'S' AND relnamespace = 't_acme'::regnamespace"
    )
    execute(";".join(f"ALTER SEQUENCE t_acme.{sequence.name} RESTART WITH {number}" for sequence in sequences))


def _rows(acme: Tenant) -> dict[str, int]:
    """Return the newest row of each model that has a page."""
    own = {ApiKey: {"tenant": acme}, Domain: {"tenant": acme}, Tenant: {"pk": acme.pk}}
    found = {}
    for model in {*tenant_site._registry, *platform_site._registry}:
        row = model._default_manager.filter(**own.get(model, {})).order_by("-pk").first()
        assert row is not None, f"Give Acme a {model.__name__}, so that it can be asked for."
        found[f"{model._meta.app_label}/{model._meta.model_name}"] = row.pk
    return found


# Everything that is Acme's, as it is


@contextmanager
def unchanged(*, but: str = "") -> Iterator[None]:
    """Whatever happens in the block, Acme and its sandbox are afterwards as they were, but for one table."""
    before = _everything()
    yield
    assert [row for row in _everything() if row.name != but] == [row for row in before if row.name != but]


# Sessions and attempts to log in are the visitors' own, and so is when and from where a key was last used.
EVERYTHING = """
SELECT format('SELECT %L AS name, count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM %s t',
    relation, relation) AS statement
FROM pg_class CROSS JOIN LATERAL format('%I.%I', relnamespace::regnamespace::text, relname) AS relation
WHERE relkind = 'r' AND (
    relnamespace IN ('t_acme'::regnamespace, 't_acme_sandbox'::regnamespace) AND relname !~ '^(django_session|axes_)'
    OR relation IN ('public.tenants_tenant', 'public.tenants_domain'))
"""
KEYS = """
SELECT 'keys', count(*), md5(string_agg((to_jsonb(key) - '{last_used_at,last_used_from}'::text[])::text, chr(10)
    ORDER BY id))
FROM public.tenants_apikey key
"""


def _everything() -> list[Any]:
    statements = [row.statement for row in fetch(EVERYTHING)]
    assert len(statements) > 60
    return sorted(fetch(" UNION ALL ".join([*statements, KEYS])))


# Without this the others would prove nothing


def test_acmes_own_staff_finds_all_that_is_asked_for(asked):
    browser = visitor("t_acme", host="acme.localhost")
    models = {model._meta.label_lower.replace(".", "_"): model._meta.model_name for model in tenant_site._registry}

    told = {place.name for place in places(TENANTS, asked) if _tells_of_rows(send(browser, "GET", place), place)}

    pages = {f"{name}_{page}" for name, model in models.items() for page in ("change", "changelist")}
    nameless = {
        f"{name}_{page}" for name, model in models.items() if model in NAMELESS for page in ("change", "changelist")
    }
    assert pages - nameless <= told


def _tells_of_rows(response: Any, place: Place) -> bool:
    return response.status_code == 200 and told_by(response, of=ROWS_OF_ACME, asked=place.asked) is not None


@pytest.mark.parametrize("host", ["acme.localhost", "localhost"])
def test_acmes_own_program_finds_all_that_is_asked_for(asked, host):
    caller = program("t_acme", host=host)

    answers = {place.name: send(caller, "GET", place).status_code for place in of_api(asked)}

    only_written = {place.name: 405 for place in of_api(asked) if not hasattr(place.view.cls, "get")}
    tried_out = {place.name: 403 for place in of_api(asked) if is_tried_out(place)}
    assert answers == dict.fromkeys(answers, 200) | only_written | tried_out
    assert len(answers) >= 8


# Programs


def of_api(asked: Asked) -> list[Place]:
    """Return the places that want a key."""
    return [place for place in places(TENANTS, asked) if place.path.startswith(API)]


def is_tried_out(place: Place) -> bool:
    """Tell whether a place is the sandbox's alone: a live key is refused there, whatever it may do."""
    return place.path.startswith(f"{API}sandbox/")


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.mark.parametrize(
    ("owner", "host"),
    [
        ("t_bolt", "acme.localhost"),
        ("t_bolt_sandbox", "acme.localhost"),
        ("t_bolt", "acme-sandbox.localhost"),
        ("t_bolt_sandbox", "acme-sandbox.localhost"),
        ("t_acme", "acme-sandbox.localhost"),
        ("t_acme", "bolt.localhost"),
        ("t_acme_sandbox", "bolt.localhost"),
    ],
)
def test_a_key_opens_nothing_at_somebody_elses_host(asked, owner, host):
    stranger = program(owner, host=host)

    with unchanged():
        answers = {
            (method, place.path): send(stranger, method, place).status_code
            for method in METHODS
            for place in of_api(asked)
        }

    assert answers == dict.fromkeys(answers, 401)


@pytest.mark.parametrize(
    ("owner", "host"),
    [
        ("t_bolt", "bolt.localhost"),
        ("t_bolt", "localhost"),
        ("t_bolt_sandbox", "bolt.localhost"),
        ("t_bolt_sandbox", "localhost"),
        ("t_acme_sandbox", "acme.localhost"),
        ("t_acme_sandbox", "localhost"),
    ],
)
def test_a_key_finds_nothing_of_another_space_at_home(asked, owner, host):
    stranger = program(owner, host=host)
    # The sandbox has Acme's name.
    of_others = ROWS_OF_ACME if owner == "t_acme_sandbox" else OF_ACME

    # Whoever exports at home is in the log there.
    with unchanged(but="t_acme_sandbox.staff_auditentry" if owner == "t_acme_sandbox" else ""):
        for place in of_api(asked):
            response = send(stranger, "GET", place)
            usual = {403} if is_tried_out(place) and not owner.endswith("_sandbox") else {200, 404, 405}
            assert (place.path, response.status_code in usual) == (place.path, True)
            assert (place.path, told_by(response, of=of_others, asked=place.asked)) == (place.path, None)


def test_without_a_key_nothing_is_answered(asked):
    nobody = visitor(None, host="acme.localhost")

    with unchanged():
        answers = {
            (method, place.path): send(nobody, method, place).status_code
            for method in METHODS
            for place in of_api(asked)
        }

    assert answers == dict.fromkeys(answers, 401)


def test_a_cookie_is_no_key(asked):
    admin = visitor("t_acme", host="acme.localhost")

    answers = {place.path: send(admin, "GET", place).status_code for place in of_api(asked)}

    assert answers == dict.fromkeys(answers, 401)


def test_what_is_reported_of_acmes_people_elsewhere_stays_there(asked):
    stranger = program("t_bolt", host="bolt.localhost")

    with unchanged():
        answers = {
            (method, place.name): send(stranger, method, place) for method in METHODS[1:] for place in of_api(asked)
        }

    statuses = {what: response.status_code for what, response in answers.items()}
    of_sandbox = [what for what in statuses if what[1].startswith("sandbox-")]
    assert {statuses.pop(what) for what in of_sandbox} == {403}
    assert statuses.pop(("POST", "events")) == 202
    assert statuses.pop(("POST", "members")) == 201
    # Of the same name, and Bolt's own by then.
    assert statuses.pop(("DELETE", "member")) == 204
    assert set(statuses.values()) <= {400, 404, 405}


# People


@pytest.mark.parametrize(
    ("owner", "host", "urlconf"),
    [
        ("t_bolt", "acme.localhost", TENANTS),
        ("t_bolt", "acme-sandbox.localhost", TENANTS),
        ("t_acme_sandbox", "acme.localhost", TENANTS),
        ("t_acme", "acme-sandbox.localhost", TENANTS),
        ("t_acme", "bolt.localhost", TENANTS),
        ("public", "acme.localhost", TENANTS),
        (None, "acme.localhost", TENANTS),
        ("t_bolt", "localhost", PLATFORM),
        ("t_acme", "localhost", PLATFORM),
    ],
)
def test_a_cookie_opens_nothing_at_somebody_elses_host(asked, owner, host, urlconf):
    stranger = visitor(owner, host=host)

    with unchanged():
        for place in places(urlconf, asked):
            for method in ("GET", "POST") if place.name not in OPEN and not place.path.startswith("/api/") else ():
                response = send(stranger, method, place)
                assert (place.path, is_turned_away(response)) == (place.path, True)


def is_turned_away(response: Any) -> bool:
    """Tell whether an answer leads to where one logs in, or says no."""
    leads_to = response.headers.get("Location", "").split("?")[0]
    return response.status_code in {403, 404, 405} or leads_to in {"/admin/login/", "/admin/"}


@pytest.mark.parametrize("owner", ["t_bolt", "t_acme_sandbox"])
def test_staff_finds_nothing_of_another_space_at_home(asked, owner):
    host = {"t_bolt": "bolt.localhost", "t_acme_sandbox": "acme-sandbox.localhost"}[owner]
    of_others = OF_ACME if owner == "t_bolt" else ROWS_OF_ACME
    stranger = visitor(owner, host=host)
    seen = set()

    with unchanged():
        for place in places(TENANTS, asked):
            response = send(stranger, "GET", place)
            seen.add((place.name, response.status_code))
            assert (place.path, told_by(response, of=of_others, asked=place.asked)) == (place.path, None)

    # Somebody was logged in all the time.
    assert {("index", 200), ("members_member_changelist", 200), ("antifraud_trip_changelist", 200)} <= seen


def test_staff_changes_nothing_of_another_tenant_from_home(asked):
    stranger = visitor("t_bolt", host="bolt.localhost")

    with unchanged():
        for place in places(TENANTS, asked):
            response = send(stranger, "POST", place)
            assert (place.path, response.status_code < 500) == (place.path, True)
            assert (place.path, told_by(response, of=OF_ACME, asked=(*place.asked, ANNA))) == (place.path, None)


# Scopes


@pytest.mark.parametrize("scope", keys.ALL_SCOPES)
def test_a_key_without_the_scope_is_denied_and_one_with_it_alone_is_not(asked, acme, scope):
    for place in of_api(asked):
        sufficient = program_with(acme, scope, *filter(None, [place.view.cls.scope_besides]))
        for method, scopes in scopes_of(place).items():
            if scope in scopes:
                answer = send(sufficient, method, place)
                refused_as = answer.json()["code"] if answer.status_code in {401, 403} else ""
                assert (place.path, refused_as) == (place.path, "sandbox_only" if is_tried_out(place) else "")
            if scope == scopes[0] and set(scopes) != set(keys.ALL_SCOPES):
                denied = send(program_with(acme, *set(keys.ALL_SCOPES) - set(scopes)), method, place)
                assert (place.path, denied.status_code, denied.json()["code"]) == (place.path, 403, "missing_scope")
                assert denied.json()["required_scope"] == scope


def program_with(tenant: Tenant, *scopes: str) -> Client:
    """Return a program with a key that may do just this."""
    _row, full = keys.issue(tenant=tenant, environment="live", name="x", scopes=scopes, at=NOON)
    return Client(headers={"host": "acme.localhost", "authorization": f"Bearer {full}"}, raise_request_exception=False)


def scopes_of(place: Place) -> dict[str, tuple[str, ...]]:
    """Return the scopes, of which each method of a place needs one."""
    view = place.view.cls
    methods = [method for method in METHODS[:-1] if hasattr(view, method.lower())]
    return {method: view.scopes_of(method) for method in methods}


def test_every_place_of_the_api_asks_for_a_scope_that_a_key_can_have(asked):
    asking = {scope for place in of_api(asked) for scopes in scopes_of(place).values() for scope in scopes}

    assert asking <= set(keys.ALL_SCOPES)


# What else two tenants could share


def test_the_cache_of_one_tenant_is_not_the_others(acme):
    cache.set("secret", "of Acme")

    with context.in_tenant("t_bolt"):
        found = cache.get("secret")

    assert (found, cache.get("secret")) == (None, "of Acme")
