"""The pages of the antifraud policy: what is chosen, for whom, and what is tried beside it."""

from dataclasses import replace

import pytest

from antifraud.judging import policies, shadows
from antifraud.models import FraudPolicy, Signal
from antifraud.signals import SIGNALS
from campaigns.models import Campaign
from core.db import transaction
from rewards.models import Reward
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import NOON, Shop, make_campaign
from tests.people import browser_of, flag, staff_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/antifraud/fraudpolicy/"
OWN = {"flag_from": 50, "refuse_from": 150}
TENANT = OWN | {"undo_minutes": 10, "due_hours": 24, "on_reject": "both", "tells_members": "on"}


def tenants() -> FraudPolicy:
    return FraudPolicy.objects.get(singleton=True)


def page_of(row: FraudPolicy, what: str = "change") -> str:
    return f"{PAGE}{row.pk}/{what}/"


@pytest.fixture
def admin(acme):
    return browser_of(staff_of("admin"))


def test_the_page_has_a_line_for_each_signal_and_its_numbers(admin):
    page = admin.get(PAGE, follow=True)

    assert [line.signal.name for line in page.context["rows"]] == [each.name for each in SIGNALS]
    velocity = next(line for line in page.context["rows"] if line.signal.name == "velocity")
    assert [(str(label), field.value(), low, high) for label, field, low, high in velocity.params][:1] == [
        ("usual in an hour", 10, 1, 1_000)
    ]
    assert (velocity.mode.value(), velocity.weight.value(), velocity.is_changed) == ("live", 50, False)


def test_only_what_differs_is_kept(admin):
    told = {
        "velocity__mode": "shadow",
        "velocity__weight": "50",
        "velocity__allowed": "7",
        "self_referral_card__mode": "live",
    }
    admin.post(page_of(tenants()), TENANT | told)

    row = tenants()
    assert row.signals["velocity"] == {"mode": "shadow", "allowed": 7}
    velocity = policies.live_of(row).settings["velocity"]
    assert (velocity.mode, velocity.weight, velocity.params["allowed"]) == ("shadow", 50, 7)
    assert AuditEntry.objects.get(action="fraudpolicy.changed").changes["velocity__mode"] == ["live", "shadow"]


def test_what_the_tenant_alone_says_is_kept_too(admin):
    admin.post(
        page_of(tenants()),
        TENANT
        | {
            "due_hours": 48,
            "on_reject": "inviter",
            "tells_members": "",
            "reason_templates": "One phone\n\n A farm \nA farm",
        },
    )

    row = tenants()
    assert (row.due_hours, row.on_reject, row.tells_members) == (48, "inviter", False)
    assert row.reason_templates == ["One phone", "A farm"]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"flag_from": 0}, "flag_from"),
        ({"refuse_from": 50}, "refuse_from"),
        ({"refuse_from": 40_000}, "refuse_from"),
        ({"due_hours": 0}, "due_hours"),
        ({"undo_minutes": 1441}, "undo_minutes"),
        ({"on_reject": "nobody"}, "on_reject"),
        ({"velocity__allowed": 0}, "velocity__allowed"),
        ({"velocity__weight": 1001}, "velocity__weight"),
        ({"velocity__mode": "loud"}, "velocity__mode"),
        ({"velocity__always": "maybe"}, "velocity__always"),
        ({"reason_templates": "x" * 301}, "reason_templates"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(admin, told, field):
    before = FraudPolicy.objects.values().get()

    answer = admin.post(page_of(tenants()), TENANT | told)

    assert list(answer.context["form"].errors) == [field]
    assert FraudPolicy.objects.values().get() == before
    assert not AuditEntry.objects.exists()


def test_defaults_are_restored(admin):
    admin.post(page_of(tenants()), TENANT | {"flag_from": 60, "velocity__mode": "off", "due_hours": 48})

    admin.post(page_of(tenants(), "restore"))

    row = tenants()
    assert (row.flag_from, row.refuse_from, row.signals, row.due_hours) == (50, 150, {}, 48)


def test_a_campaign_has_a_policy_over_the_tenants_until_it_is_removed(admin):
    campaign = make_campaign()
    admin.post(page_of(tenants()), TENANT | {"velocity__mode": "off"})

    admin.post(f"{PAGE}add-campaign/", {"campaign": campaign.pk})
    row = FraudPolicy.objects.get(campaign=campaign)
    assert policies.live_of(row) == policies.live_of(tenants())
    admin.post(page_of(row), OWN | {"flag_from": 20, "velocity__mode": "live"})
    row.refresh_from_db()
    assert (row.flag_from, row.signals) == (20, {"velocity": {"mode": "live"}})
    assert f">{campaign.name}</a>" in admin.get(page_of(tenants())).content.decode()
    admin.post(page_of(row, "remove"))

    assert not FraudPolicy.objects.filter(campaign=campaign).exists()
    actions = AuditEntry.objects.filter(action__startswith="fraudpolicy.").order_by("id")
    assert [each.action.partition(".")[2] for each in actions] == ["changed", "added", "changed", "deleted"]


def test_a_campaign_has_one_at_most_and_the_tenants_own_stays(admin):
    campaign = make_campaign()
    admin.post(f"{PAGE}add-campaign/", {"campaign": campaign.pk})
    again = admin.post(f"{PAGE}add-campaign/", {"campaign": campaign.pk}, follow=True)

    assert "has a policy of its own already" in again.content.decode()
    assert admin.post(page_of(tenants(), "remove")).status_code == 404
    assert FraudPolicy.objects.count() == 2


# What is tried


def test_another_policy_is_tried_made_live_and_swapped_back(admin):
    row = tenants()
    admin.post(page_of(row, "shadow"), OWN | {"flag_from": 20, "velocity__mode": "live", "velocity__allowed": "3"})

    row.refresh_from_db()
    assert row.shadow == {"flag_from": 20, "refuse_from": 150, "signals": {"velocity": {"allowed": 3}}}
    assert row.shadow_since is not None
    live, shadow = policies.live_of(row), policies.shadow_of(row)
    assert admin.get(page_of(row, "make-live")).status_code == 200
    row.refresh_from_db()
    assert policies.live_of(row) == live
    admin.post(page_of(row, "make-live"))
    row.refresh_from_db()
    assert (policies.live_of(row), policies.shadow_of(row)) == (shadow, live)
    admin.post(page_of(row, "make-live"))
    row.refresh_from_db()
    assert (policies.live_of(row), policies.shadow_of(row)) == (live, shadow)
    admin.post(page_of(row, "end-shadow"))
    row.refresh_from_db()
    assert (row.shadow, row.shadow_since) == (None, None)


def test_a_change_of_the_policy_leaves_what_is_tried_as_it_is(admin):
    row = tenants()
    admin.post(page_of(row, "shadow"), OWN | {"flag_from": 20, "velocity__mode": "live", "velocity__allowed": "3"})
    row.refresh_from_db()
    shadow = policies.shadow_of(row)

    admin.post(page_of(row), TENANT | {"velocity__mode": "live", "velocity__allowed": "5", "velocity__weight": "90"})

    row.refresh_from_db()
    assert policies.shadow_of(row) == shadow
    assert policies.live_of(row).settings["velocity"].weight == 90


def test_nothing_is_made_live_or_ended_that_is_not_tried(admin):
    before = FraudPolicy.objects.values().get()
    for what in ("make-live", "end-shadow"):
        page = admin.post(page_of(tenants(), what), follow=True)
        assert "No other policy is tried beside this one." in page.content.decode()

    assert FraudPolicy.objects.values().get() == before


@pytest.fixture
def flagged(acme) -> Shop:
    """Let both sides of a referral be flagged by one card."""
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)
    return shop


def compared(**shadow) -> shadows.Comparison:
    row = tenants()
    row.shadow = {"flag_from": 50, "refuse_from": 150, "signals": {}} | shadow
    row.save()
    return shadows.compare(
        row=row,
        live=policies.live_of(row),
        shadow=policies.shadow_of(row),
        since=NOON.replace(hour=0),
        until=NOON.replace(day=18),
    )


def weights() -> int:
    member_id = Signal.objects.values_list("member_id", flat=True).earliest("pk")
    return sum(signal.weight for signal in Signal.objects.filter(member=member_id))


def test_the_same_policy_differs_nowhere(flagged):
    found = compared()

    assert (found.compared, found.is_cut, found.differing) == (2, False, ())


def test_a_softer_policy_lets_go_what_waited(flagged):
    found = compared(flag_from=weights() + 1, refuse_from=weights() + 2)

    assert [(each.live, each.shadow, each.status, each.is_more) for each in found.differing] == [
        ("flag", "allow", "flagged", False)
    ] * 2
    assert found.fewer("flag") == shadows.Sum(2, sum(Reward.objects.values_list("cost_minor", flat=True)), 0, 0)
    assert found.more("flag") == shadows.Sum(0, 0, 0, 0)


def test_a_harder_policy_gives_nothing_where_something_waited(flagged):
    found = compared(flag_from=1, refuse_from=weights())

    assert {(each.live, each.shadow) for each in found.differing} == {("flag", "refuse")}
    assert found.more("refuse").rewards == 2


def test_weights_are_those_of_what_is_tried(flagged):
    heavy = {each: {"weight": 0} for each in Signal.objects.values_list("name", flat=True)}

    assert {each.shadow for each in compared(signals=heavy).differing} == {"allow"}
    off = {each: {"mode": "off"} for each in heavy}
    assert {each.shadow for each in compared(signals=off).differing} == {"allow"}
    one = Signal.objects.values_list("name", flat=True)[0]
    assert {each.shadow for each in compared(signals={one: {"always": "refuse"}}).differing} == {"refuse"}


def test_what_only_the_other_policy_sees_is_recorded_and_counted(acme):
    row = tenants()
    row.signals = {each.name: {"mode": "off"} for each in SIGNALS}
    row.shadow = {"flag_from": 50, "refuse_from": 150, "signals": {"self_referral_card": {"mode": "live"}}}
    row.save()
    shop = Shop()
    make_campaign(rule={"recipient": "both"})
    flag(shop)

    assert {each.status for each in Reward.objects.all()} == {"granted"}
    assert set(Signal.objects.values_list("name", "is_shadow")) == {("self_referral_card", True)}
    found = compared(signals={"self_referral_card": {"mode": "live"}})
    assert [(each.live, each.shadow, each.is_more) for each in found.differing] == [("allow", "flag", True)] * 2


def test_a_campaign_with_its_own_policy_is_not_compared_with_the_tenants(flagged):
    with transaction():
        policies.add(campaign=Campaign.objects.filter(is_builtin=False).get())

    assert compared(flag_from=1, refuse_from=2).compared == 0


def test_the_comparison_is_read_in_a_fixed_number_of_statements(flagged, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        compared(flag_from=1, refuse_from=2)


def test_the_page_compares_over_the_days_that_are_asked_for(flagged, admin):
    row = tenants()
    admin.post(page_of(row, "shadow"), OWN | {"flag_from": 1, "refuse_from": 2})
    address = page_of(row, "compare")

    page = admin.get(f"{address}?since=2026-03-17&until=2026-03-17").content.decode()
    assert page.count(">not given</span>") == 2
    assert "boris" in page
    before = admin.get(f"{address}?since=2026-03-01&until=2026-03-16").content.decode()
    assert "Nowhere in this period." in before
    assert admin.get(f"{address}?since=x&until=9999-99-99&page=y").status_code == 200


# Who may


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_others_read_the_policy_and_change_nothing(acme, role):
    campaign = make_campaign()
    before = FraudPolicy.objects.values().get()
    browser = browser_of(staff_of(role))

    for what in ("change", "shadow", "compare"):
        assert browser.get(page_of(tenants(), what)).status_code == 200
    for what in ("change", "shadow", "make-live", "end-shadow", "restore", "remove"):
        assert browser.post(page_of(tenants(), what), TENANT).status_code == 403
    assert browser.post(f"{PAGE}add-campaign/", {"campaign": campaign.pk}).status_code == 403

    assert FraudPolicy.objects.values().get() == before


def test_another_tenants_staff_changes_its_own_only(acme, bolt):
    with context.in_tenant("t_acme"):
        campaign = make_campaign()
        with transaction():
            row = policies.add(campaign=campaign)
    with context.in_tenant(bolt.schema_name):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")

    for what in ("change", "shadow", "compare", "make-live"):
        assert stranger.get(page_of(row, what)).status_code == 404
    assert stranger.post(page_of(row, "remove")).status_code == 404
    with context.in_tenant("t_acme"):
        assert FraudPolicy.objects.count() == 2


@pytest.mark.parametrize("store", ["write", "try_beside"])
def test_a_policy_that_no_signal_could_follow_is_not_stored(acme, store):
    row = tenants()
    before = (row.signals, row.shadow)
    settings = policies.live_of(row).settings
    wrong = replace(settings["velocity"], weight=5_000)
    wanted = replace(policies.live_of(row), settings={**settings, "velocity": wrong})
    given = {"at": NOON} if store == "try_beside" else {}

    with pytest.raises(policies.UnsoundPolicy, match="“weight” of “velocity” must be a whole number from 0 to 1000"):
        getattr(policies, store)(row=row, wanted=wanted, **given)

    row.refresh_from_db()
    assert (row.signals, row.shadow) == before
