"""What a rule gives, from the form into a version: every kind, what comes with it, and what it waits for."""

import pytest

from campaigns import versions
from campaigns.models import Campaign, CampaignVersion, Rule
from campaigns.tests.making import make_campaign
from campaigns.tests.pages import ADD, browser_of, errors_in, page_of, save
from tests.things import make_gift, make_things, retire

pytestmark = pytest.mark.django_db


@pytest.fixture
def mia(acme):
    """Give a marketer's browser, and one of everything to give."""
    make_things()
    return browser_of("marketer")


def activate(client, **sent):
    """Save and activate a campaign of one rule, which is not limited."""
    told = {f"rules_0_{name}": value for name, value in sent.items()}
    return save(client, ADD, button="_activate", name="Thanks", rules_0_recipient="actor", limitsTOTAL="0", **told)


def stored():
    """Return the one rule of the one version there is."""
    [version] = CampaignVersion.objects.all()
    [rule] = versions.offer_in(version).rules
    return rule


def pieces_of(rule):
    return [(each.kind, each.what, each.amount) for each in rule.extras]


@pytest.mark.parametrize(
    ("gives", "typed", "kept", "said"),
    [
        ("points:", "250", ("points", "", 250), "250 points"),
        ("points:stars", "5", ("points", "stars", 5), "5 (Stars)"),
        ("money:cash", "12.50", ("money", "cash", 1_250), "RUB\N{NO-BREAK SPACE}12.50"),
        ("spin:spin", "3", ("spin", "spin", 3), "3 spins"),
        ("spin:gold", "1", ("spin", "gold", 1), "1 ticket of “Gold draw”"),
        (
            "certificate:coffee",
            "500",
            ("certificate", "coffee", 50_000),
            "a certificate of Coffee House for RUB\N{NO-BREAK SPACE}500",
        ),
        (
            "certificate:any",
            "1000",
            ("certificate", "any", 100_000),
            "a certificate for RUB\N{NO-BREAK SPACE}1,000 of a brand of their choice",
        ),
        ("discount:tenth", "", ("discount", "tenth", 1), "a discount code: 10% off"),
        ("privilege:vip", "", ("privilege", "vip", 1), "the privilege “VIP chat” for 30 days"),
        ("product:stickers", "77", ("product", "stickers", 1), "“Sticker pack”"),
        ("content:notes", "", ("content", "notes", 1), "access to “Notes”"),
    ],
)
def test_every_kind_goes_from_the_form_into_the_version(mia, gives, typed, kept, said):
    response = activate(mia, gives=gives, amount_points=typed)

    page = mia.get(response.url)
    rule = stored()
    assert (rule.reward_kind, rule.reward_what, rule.amount_points) == kept
    assert (rule.amount_kind, rule.extras, rule.awaits) == ("fixed", (), "")
    assert page.context["sentences"][0] == f"A member gets {said} when they pay their first order."
    shown = page.context["inline_admin_formsets"][0].formset.forms[0]
    assert shown["gives"].value() == gives
    assert str(shown["amount_points"].value()) == (
        typed if gives.split(":")[0] not in {"product"} and typed else "None"
    )


def test_what_is_shown_is_what_is_stored_again(mia):
    extras = {"extras_0": "money:cash", "extras_1": "0,5", "extras_2": "certificate:books", "extras_3": "1000"}
    saved = activate(mia, gives="certificate:coffee", amount_points="500", awaits="check_in", awaits_days="7", **extras)
    before = stored()

    response = save(mia, saved.url)

    assert [str(each) for each in mia.get(response.url).context["messages"]] == [
        "“Thanks” is saved. What it offers has not changed."
    ]
    assert stored() == before
    assert pieces_of(before) == [("money", "cash", 50), ("certificate", "books", 100_000)]


@pytest.mark.parametrize(
    ("sent", "field", "error"),
    [
        (
            {"gives": "product:gone"},
            "gives",
            "Select a valid choice. product:gone is not one of the available choices.",
        ),
        ({"gives": "nonsense"}, "gives", "Select a valid choice. nonsense is not one of the available choices."),
        ({"gives": ""}, "gives", "This field is required."),
        (
            {"gives": "certificate:coffee", "amount_points": "700"},
            "amount_points",
            "Offered are RUB\N{NO-BREAK SPACE}500 and RUB\N{NO-BREAK SPACE}1,000.",
        ),
        ({"gives": "certificate:coffee", "amount_points": ""}, "amount_points", "How much of it?"),
        ({"gives": "points:", "amount_points": "1.5"}, "amount_points", "Only whole ones."),
        ({"gives": "money:cash", "amount_points": "1.005"}, "amount_points", "At most 2 digits after the point."),
        ({"gives": "money:cash", "amount_points": "0"}, "amount_points", "From 0.01 to 10,000,000."),
        ({"gives": "spin:spin", "amount_points": "-1"}, "amount_points", "From 1 to 1,000,000,000."),
        (
            {"gives": "spin:spin", "amount_points": "1e30"},
            "amount_points",
            "Ensure that there are no more than 20 digits in total.",
        ),
        (
            {"gives": "spin:spin", "amount_kind": "percent", "percent": "5"},
            "amount_kind",
            "Only points and money are given so: choose “Fixed”.",
        ),
        (
            {"gives": "product:stickers", "amount_kind": "tiers"},
            "amount_kind",
            "Only points and money are given so: choose “Fixed”.",
        ),
        ({"extras_0": "points:"}, "extras", "Line 1: How much of it?"),
        ({"extras_1": "5"}, "extras", "Line 1: Of what?"),
        ({"extras_2": "spin:spin", "extras_3": "many"}, "extras", "Line 2: Enter a number."),
        ({"extras_2": "spin:spin", "extras_3": "1e999999"}, "extras", "Line 2: From 1 to 1,000,000,000."),
        ({"extras_2": "spin:spin", "extras_3": "NaN"}, "extras", "Line 2: Enter a number."),
        ({"extras_2": "spin:spin", "extras_3": "0.5"}, "extras", "Line 2: From 1 to 1,000,000,000."),
        (
            {"extras_8": "certificate:books", "extras_9": "500"},
            "extras",
            "Line 5: Offered are RUB\N{NO-BREAK SPACE}1,000.",
        ),
        ({"extras_0": "product:gone"}, "extras", "Line 1: This cannot be given any more: choose another."),
        (
            {"awaits": "order.refunded"},
            "awaits",
            "Select a valid choice. order.refunded is not one of the available choices.",
        ),
        (
            {"awaits": "custom.*", "awaits_name": "No Spaces"},
            "awaits_name",
            "1 to 50 small letters, digits, dots and underscores.",
        ),
        (
            {"awaits": "check_in", "awaits_days": "0"},
            "awaits_days",
            "Ensure this value is greater than or equal to 1.",
        ),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_is_saved_or_lost(mia, sent, field, error):
    response = activate(mia, **sent)

    assert errors_in(response) == {f"rules-0-{field}": [error]}
    assert not Campaign.objects.exists()
    form = response.context["inline_admin_formsets"][0].formset.forms[0]
    assert form["gives"].value() == sent.get("gives", "points:")
    assert form["extras"].value() == [sent.get(f"extras_{number}", "") for number in range(10)]


def test_money_is_a_share_of_an_order_and_a_ladder_in_its_units(mia):
    save(
        mia,
        ADD,
        button="_activate",
        name="Ladder",
        limitsTOTAL="0",
        rules_0_gives="money:cash",
        rules_0_amount_kind="tiers",
        tiers_0_from_count="1",
        tiers_0_amount_points="1.50",
        tiers_1_from_count="5",
        tiers_1_amount_points="2",
    )

    campaign = Campaign.objects.get()
    page = mia.get(page_of(campaign))
    assert [*campaign.tiers.order_by("from_count").values_list("amount_points", flat=True)] == [150, 200]
    assert page.context["sentences"][:2] == [
        "The inviter gets “Cash” by the ladder when a friend pays a first order.",
        "The ladder: friends 1 to 4 RUB\N{NO-BREAK SPACE}1.50 each, from friend 5 on RUB\N{NO-BREAK SPACE}2 each.",
    ]
    steps = page.context["inline_admin_formsets"][1].formset
    assert sorted(str(form["amount_points"].value()) for form in steps.forms) == ["1.50", "2"]

    save(mia, page_of(campaign), rules_0_amount_kind="percent", rules_0_percent="2.5")

    rule = campaign.rules.get()
    assert (rule.rate_bps, rule.amount_points, rule.reward_kind) == (250, None, "money")


def test_a_step_of_points_is_whole(mia):
    response = save(mia, ADD, name="Ladder", tiers_0_from_count="1", tiers_0_amount_points="1.50")

    assert errors_in(response) == {"tiers-0-amount_points": ["Only whole ones."]}


def test_several_things_are_given_at_once(mia):
    response = activate(
        mia,
        amount_points="50",
        extras_0="product:stickers",
        extras_2="spin:spin",
        extras_3="2",
        extras_8="money:cash",
        extras_9="1 000,5",
    )

    assert pieces_of(stored()) == [("product", "stickers", 1), ("spin", "spin", 2), ("money", "cash", 100_050)]
    assert mia.get(response.url).context["sentences"][0] == (
        "A member gets 50 points, “Sticker pack”, 2 spins and RUB\N{NO-BREAK SPACE}1,000.50 "
        "when they pay their first order."
    )


def test_what_comes_with_it_can_be_taken_away_again(mia):
    saved = activate(mia, extras_0="product:stickers", extras_2="privilege:vip")

    save(mia, saved.url, rules_0_extras_0="")

    assert Rule.objects.get().extras == [{"kind": "privilege", "what": "vip", "amount": 1}]
    assert CampaignVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("sent", "kept", "said"),
    [
        ({"awaits": "order.paid", "awaits_days": "30"}, ("order.paid", 30), "they pay an order, within 30 days"),
        ({"awaits": "check_in", "awaits_days": ""}, ("check_in", None), "they check in"),
        (
            {"awaits": "custom.*", "awaits_name": "quiz", "awaits_days": "1"},
            ("custom.quiz", 1),
            "“custom.quiz” happens, within 1 day",
        ),
    ],
)
def test_a_promise_waits_for_what_its_member_does(mia, sent, kept, said):
    response = activate(mia, trigger="member.joined", **sent)

    rule = stored()
    assert (rule.awaits, rule.awaits_days) == kept
    page = mia.get(response.url)
    assert page.context["sentences"][0] == f"A member gets 100 points when they join, usable once {said}."
    shown = page.context["inline_admin_formsets"][0].formset.forms[0]
    assert shown["awaits"].value() == sent["awaits"]
    assert (shown["awaits_name"].value() or "") == sent.get("awaits_name", "")


def test_days_without_a_promise_are_cleared(mia):
    activate(mia, awaits="", awaits_days="30", awaits_name="quiz")

    assert (stored().awaits, stored().awaits_days) == ("", None)


def test_the_refund_policy_is_chosen(mia):
    response = save(mia, ADD, button="_activate", name="Thanks", refund_policy="pending_only")

    [version] = CampaignVersion.objects.all()
    assert versions.offer_in(version).refund_policy == "pending_only"
    assert "A refund takes back only what is still on hold." in mia.get(response.url).context["sentences"]


def test_what_is_not_in_use_any_more_stays_visible_and_is_refused_at_its_field(mia):
    saved = activate(mia, gives="product:stickers", extras_0="points:stars", extras_1="5")
    retire("stickers", "stars")

    shown = mia.get(saved.url).context["inline_admin_formsets"][0].formset.forms[0]
    response = save(mia, saved.url)

    assert shown["gives"].value() == "product:stickers"
    assert shown.fields["gives"].choices[-1] == (
        "Not in use any more",
        [("product:stickers", "Sticker pack"), ("points:stars", "Stars")],
    )
    assert errors_in(response) == {
        "rules-0-gives": ["“Sticker pack” is not in use: switch the gift on, or choose another."],
        "rules-0-extras": ["Line 1: “Stars” is not in use: switch the asset on, or choose another."],
    }
    assert CampaignVersion.objects.count() == 1


def test_a_rule_that_is_switched_off_may_give_what_is_not_in_use(mia, acme):
    campaign = make_campaign({"reward_kind": "product", "reward_what": "stickers", "amount_points": 1})
    retire("stickers")
    url = page_of(campaign)
    told = {"rules_0_is_active": ""}

    response = save(mia, url, **told)

    assert response.status_code == 302
    assert [rule.is_active for rule in campaign.rules.all()] == [False]


def test_the_form_costs_the_same_for_many_rules(mia, django_assert_max_num_queries):
    extras = [{"kind": "product", "what": "stickers", "amount": 1}]
    rules = [{"reward_kind": "certificate", "reward_what": "coffee", "amount_points": 50_000, "extras": extras}] * 6
    campaign = make_campaign(*rules)
    mia.get(page_of(campaign))

    with django_assert_max_num_queries(25):
        mia.get(page_of(campaign))


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_others_choose_nothing(acme, role):
    make_things()
    campaign = make_campaign({"reward_kind": "product", "reward_what": "stickers", "amount_points": 1})
    other = browser_of(role)

    page = other.get(page_of(campaign))

    assert page.context["sentences"] == ["The inviter gets “Sticker pack” when a friend pays a first order."]
    assert other.post(page_of(campaign), {"rules-0-gives": "points:"}).status_code == 403
    assert campaign.rules.get().reward_kind == "product"


def test_a_name_is_text_wherever_it_is_shown(mia):
    make_gift("<script>alert(1)</script>")
    saved = activate(mia, gives="product:sly", extras_0="product:sly")

    page = mia.get(saved.url).content.decode()

    assert "<script>alert(1)" not in page
    assert '<option value="product:sly" selected>&lt;script&gt;alert(1)&lt;/script&gt;</option>' in page
