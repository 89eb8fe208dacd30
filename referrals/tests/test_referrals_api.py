"""Who brought whom, as a tenant's programs look at it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from core.db import transaction
from referrals import attribution, trees
from referrals.models import Referral
from referrals.tests.stage import NOON
from tests.programs import program_of

pytestmark = pytest.mark.django_db

LIST = "/api/v1/referrals"


@pytest.fixture
def bot(acme):
    return program_of(acme, "members:read")


@pytest.fixture
def family(scene, anna, boris):
    """Anna brought Boris and Vera, Boris brought Gleb, Gleb brought Dina."""
    people = {name: scene.member(name) for name in ("vera", "gleb", "dina")} | {"anna": anna, "boris": boris}
    pairs = [("anna", "boris"), ("anna", "vera"), ("boris", "gleb"), ("gleb", "dina")]
    for inviter, invitee in pairs:
        qualified_at = NOON + timedelta(days=1) if invitee == "boris" else None
        scene.brings(people[inviter], people[invitee], qualified_at=qualified_at)
    return people


def pairs(answer):
    return [(each["inviter"], each["invitee"]) for each in answer.json()["data"]]


def edges(answer):
    return [(each["depth"], each["inviter_id"], each["invitee"]) for each in answer.json()["nodes"]]


# Lists


def test_all_referrals_are_listed_the_newest_first(family, bot):
    assert pairs(bot.get(LIST)) == [("gleb", "dina"), ("boris", "gleb"), ("anna", "vera"), ("anna", "boris")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"inviter": "anna"}, ["vera", "boris"]),
        ({"invitee": "gleb"}, ["gleb"]),
        ({"inviter": "nobody"}, []),
        ({"invitee": "nobody"}, []),
        ({"status": "qualified"}, ["boris"]),
        ({"status": "joined", "inviter": "anna"}, ["vera"]),
        ({"channel": "site"}, []),
        ({"since": "2026-03-17T12:00:00Z"}, ["dina", "gleb", "vera", "boris"]),
        ({"until": "2026-03-17T12:00:00Z"}, []),
        ({"since": "2026-03-17T15:00:01+03:00"}, []),
    ],
)
def test_a_list_is_narrowed_down(family, bot, query, found):
    assert [invitee for _inviter, invitee in pairs(bot.get(LIST, **query))] == found


def test_a_list_is_narrowed_to_a_campaign_and_a_channel(scene, anna, boris, acme, bot):
    campaign = Campaign.objects.create(name="Bring a friend")
    click = scene.click(anna, campaign=campaign)
    with transaction():
        attribution.write(new=[scene.new(anna, boris, click_id=click.pk, channel="site")], qualified={})
    scene.brings(anna, scene.member("vera"))

    assert pairs(bot.get(LIST, campaign=campaign.pk)) == pairs(bot.get(LIST, channel="site")) == [("anna", "boris")]
    assert bot.get(LIST, campaign=campaign.pk).json()["data"][0]["campaign_id"] == campaign.pk


@pytest.mark.parametrize("query", [{"status": "x"}, {"campaign": "0"}, {"since": "yesterday"}])
def test_a_filter_that_makes_no_sense_is_refused(bot, query):
    answer = bot.get(LIST, **query)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_page_takes_as_many_statements_for_two_as_for_none(family, bot):
    bot.get(LIST)

    def count(**query):
        with CaptureQueriesContext(connection) as statements:
            bot.get(LIST, **query)
        return len(statements)

    assert count() == count(status="qualified") == 1
    assert count(inviter="anna", invitee="boris") == 5


def test_a_page_shows_both_people_if_asked_in_two_statements_more(family, bot):
    bot.get(LIST)

    with CaptureQueriesContext(connection) as statements:
        found = bot.get(LIST, expand="inviter,invitee", limit=2).json()["data"]

    called = [(each["expanded"]["inviter"]["external_id"], each["expanded"]["invitee"]["id"]) for each in found]
    assert called == [("gleb", family["dina"].pk), ("boris", family["gleb"].pk)]
    assert len(statements) == 3


# One


def test_one_referral_is_looked_at(family, bot):
    row = Referral.objects.get(invitee=family["boris"])

    told = bot.get(f"{LIST}/{row.pk}").json()

    assert told == {
        "id": row.pk,
        "inviter": "anna",
        "inviter_id": family["anna"].pk,
        "invitee": "boris",
        "invitee_id": family["boris"].pk,
        "status": "qualified",
        "code": row.code.text,
        "channel": "",
        "campaign_id": None,
        "attributed_at": told["attributed_at"],
        "qualified_at": told["qualified_at"],
    }


@pytest.mark.parametrize("number", [999_999, 10**30])
def test_a_referral_that_is_none_is_not_found(family, bot, number):
    answer = bot.get(f"{LIST}/{number}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_referral")


def test_who_invited_somebody_is_told_and_that_nobody_did(family, bot):
    assert bot.get("/api/v1/members/gleb/inviter").json()["referral"]["inviter"] == "boris"
    assert bot.get("/api/v1/members/anna/inviter").json() == {"referral": None}


def test_whoever_is_erased_is_told_by_number_only(family, bot, acme):
    assert program_of(acme, "members:write").delete("/api/v1/members/anna").status_code == 204

    told = bot.get("/api/v1/members/boris/inviter").json()["referral"]

    assert (told["inviter"], told["inviter_id"]) == (None, family["anna"].pk)


# Trees


def test_a_tree_goes_level_by_level(family, bot):
    ids = {name: member.pk for name, member in family.items()}

    answer = bot.get("/api/v1/members/anna/referrals/tree")

    assert edges(answer) == [
        (1, ids["anna"], "boris"),
        (1, ids["anna"], "vera"),
        (2, ids["boris"], "gleb"),
        (3, ids["gleb"], "dina"),
    ]
    told = answer.json()
    assert (told["member_id"], told["depth"], told["truncated"]) == (ids["anna"], 5, False)
    assert [each["status"] for each in told["nodes"]] == ["qualified", "joined", "joined", "joined"]


@pytest.mark.parametrize(("depth", "count"), [(1, 2), (2, 3), (3, 4), (5, 4)])
def test_a_tree_is_as_deep_as_asked(family, bot, depth, count):
    assert len(edges(bot.get("/api/v1/members/anna/referrals/tree", depth=depth))) == count


@pytest.mark.parametrize("depth", [0, 6, "x"])
def test_a_tree_of_another_depth_is_refused(family, bot, depth):
    answer = bot.get("/api/v1/members/anna/referrals/tree", depth=depth)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_tree_is_cut_where_it_says_so_and_takes_one_statement(scene, anna):
    for number in range(4):
        friend = scene.member(f"friend-{number}")
        scene.brings(anna, friend)
        scene.brings(friend, scene.member(f"friend-of-{number}"))

    with CaptureQueriesContext(connection) as statements:
        cut = trees.below(member_id=anna.pk, depth=5, nodes_max=5)

    assert [node.depth for node in cut.nodes] == [1, 1, 1, 1, 2]
    assert cut.is_truncated
    assert len(statements) == 1
    assert not trees.below(member_id=anna.pk, depth=5, nodes_max=8).is_truncated


# The wall


@pytest.mark.parametrize("place", ["referrals", "referrals/tree", "inviter"])
def test_a_stranger_finds_nobody(family, bolt, acme, place):
    answer = program_of(bolt, "members:read").get(f"/api/v1/members/anna/{place}")
    lacking = program_of(acme, "rewards:read").get(f"/api/v1/members/anna/{place}")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_member")
    assert (lacking.status_code, lacking.json()["code"]) == (403, "missing_scope")


def test_a_stranger_s_list_is_empty(family, bolt):
    number, stranger = Referral.objects.latest("pk").pk, program_of(bolt, "members:read")

    assert pairs(stranger.get(LIST)) == []
    assert stranger.get(f"{LIST}/{number}").status_code == 404
