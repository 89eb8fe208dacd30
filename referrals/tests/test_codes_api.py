"""A member's code, link and picture, over HTTP."""

import io
import re
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from campaigns.models import Campaign
from referrals.models import Code
from tests.programs import program_of

pytestmark = pytest.mark.django_db

MEMBER = "/api/v1/members/anna"


@pytest.fixture
def bot(acme):
    return program_of(acme, "members:read", "members:write")


def refused(answer):
    return answer.status_code, answer.json()["code"]


def test_a_code_is_looked_at_and_chosen(anna, bot):
    first = bot.get(f"{MEMBER}/code").json()

    answer = bot.put({"code": "an-na"}, f"{MEMBER}/code")

    told = answer.json()
    assert answer.status_code == 200
    assert re.fullmatch(r"http://acme\.localhost(:\d+)?/r/ANNA", told["link"])
    assert [(each["code"], each["is_chosen"]) for each in told["codes"]] == [("ANNA", True), (first["code"], False)]
    assert told["code"] == "ANNA"
    assert bot.get(f"{MEMBER}/code").json() == told


@pytest.mark.parametrize(
    ("code", "status", "problem"),
    [
        ("BORIS", 409, "code_taken"),
        ("B0RIS", 409, "code_taken"),
        ("support", 400, "reserved_code"),
        ("ЁЖИК", 400, "invalid_code"),
        ("x", 400, "invalid_code"),
    ],
)
def test_what_cannot_be_chosen_is_refused_and_changes_nothing(anna, boris, bot, code, status, problem):
    bot.put({"code": "BORIS"}, "/api/v1/members/boris/code")

    answer = bot.put({"code": code}, f"{MEMBER}/code")

    assert refused(answer) == (status, problem)
    assert [error["pointer"] for error in answer.json().get("errors", [])] == ["/code"] * (status == 400)
    assert list(Code.objects.filter(is_chosen=True).values_list("text", flat=True)) == ["BORIS"]


def test_who_may_only_read_chooses_nothing(anna, acme):
    assert refused(program_of(acme, "members:read").put({"code": "ANNA"}, f"{MEMBER}/code")) == (403, "missing_scope")
    assert not Code.objects.exists()


def test_a_stranger_finds_no_code_link_or_picture(anna, bolt):
    stranger = program_of(bolt, "members:read", "members:write")

    for place in ("code", "link", "qr"):
        assert refused(stranger.get(f"{MEMBER}/{place}")) == (404, "unknown_member")
    assert refused(stranger.put({"code": "ANNA"}, f"{MEMBER}/code")) == (404, "unknown_member")
    assert not Code.objects.exists()


# Links


def test_a_link_says_where_it_is_shared(anna, bot):
    campaign = Campaign.objects.create(name="Bring a friend")
    bot.put({"code": "ANNA"}, f"{MEMBER}/code")

    query = {"channel": "telegram bot", "campaign": campaign.pk, "utm_source": "chat&co", "utm_medium": "share"}
    told = bot.get(f"{MEMBER}/link", **query).json()

    assert told["code"] == "ANNA"
    expected = f"/r/ANNA?ch=telegram+bot&c={campaign.pk}&utm_source=chat%26co&utm_medium=share"
    assert told["url"].endswith(expected)


def test_a_link_for_nowhere_in_particular_is_bare(anna, bot):
    told = bot.get(f"{MEMBER}/link").json()

    assert told["url"].endswith(f"/r/{told['code']}")


def test_a_link_for_a_campaign_that_is_none_is_refused(anna, bot):
    assert refused(bot.get(f"{MEMBER}/link", campaign=999)) == (404, "unknown_campaign")
    assert refused(bot.get(f"{MEMBER}/link", channel="x" * 51)) == (400, "invalid")


def test_a_link_takes_a_fixed_number_of_statements(anna, bot):
    bot.get(f"{MEMBER}/link")

    with CaptureQueriesContext(connection) as statements:
        bot.get(f"{MEMBER}/link", channel="telegram")

    assert len(statements) <= 3


# Pictures


def test_a_link_is_a_picture_that_is_sharp_at_every_size(anna, bot):
    answer = bot.get(f"{MEMBER}/qr", size=300)

    picture = ElementTree.fromstring(answer.content)  # noqa: S314 (our own)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert (picture.get("width"), picture.get("height")) == ("300", "300")
    # Version 3 or 4 has 29 or 33 modules, and four on each side: all of it is white at first.
    modules = picture.get("viewBox").split()[2]
    assert modules in {"37", "41"}
    first, *_others = picture.iter("{http://www.w3.org/2000/svg}path")
    assert (first.get("fill"), first.get("d")) == ("#fff", f"M0 0h{modules}v{modules}h-{modules}z")


def test_a_png_is_as_large_as_asked_at_most_and_has_its_quiet_zone(anna, bot):
    answer = bot.get(f"{MEMBER}/qr", format="png", size=300)

    picture = Image.open(io.BytesIO(answer.content)).convert("L")
    assert answer.headers["Content-Type"] == "image/png"
    # As many whole pixels for each module.
    modules = next(count for count in (37, 41) if picture.width % count == 0)
    pixels = picture.width // modules
    assert 300 - modules < picture.width <= 300
    quiet = picture.crop((0, 0, picture.width, 4 * pixels))
    assert quiet.getextrema() == (255, 255)
    assert picture.getpixel((4 * pixels, 4 * pixels)) == 0


def test_a_picture_is_not_sent_again_while_the_link_is_the_same(anna, bot):
    first = bot.get(f"{MEMBER}/qr")
    bot.headers["If-None-Match"] = first.headers["ETag"]

    again = bot.get(f"{MEMBER}/qr")
    other = bot.get(f"{MEMBER}/qr", channel="poster")

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert other.status_code == 200
    assert other.headers["ETag"] != first.headers["ETag"]


def test_a_picture_is_asked_for_by_its_format_whatever_is_accepted(anna, bot):
    bot.headers["Accept"] = "image/png"

    assert bot.get(f"{MEMBER}/qr", format="png").status_code == 200
    assert refused(bot.get("/api/v1/members/nobody/qr", format="png")) == (404, "unknown_member")


@pytest.mark.parametrize("query", [{"size": 63}, {"size": 2049}, {"format": "gif"}, {"size": "x"}])
def test_a_picture_of_another_size_or_format_is_refused(anna, bot, query):
    assert refused(bot.get(f"{MEMBER}/qr", **query)) == (400, "invalid")


def test_a_long_link_does_not_fit_a_small_png(anna, bot):
    long = {f"utm_{name}": "x" * 200 for name in ("source", "medium", "campaign", "term")}

    assert refused(bot.get(f"{MEMBER}/qr", format="png", size=64, **long)) == (400, "picture_too_small")
    assert bot.get(f"{MEMBER}/qr", size=64, **long).status_code == 200


@pytest.mark.parametrize("picture", ["svg", "png"])
def test_a_link_that_no_picture_can_hold_is_refused(anna, bot, picture):
    # Four bytes each, and three characters for each of these in an address.
    long = {f"utm_{name}": "\U0001f600" * 200 for name in ("source", "medium", "campaign")}

    assert refused(bot.get(f"{MEMBER}/qr", format=picture, size=2048, **long)) == (400, "link_too_long")
