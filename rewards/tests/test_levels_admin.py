import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from rewards.models import Gift, Level, RewardPolicy, Standing
from tenants.staff.models import AuditEntry
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

LEVELS, STANDINGS = "/admin/rewards/level/", "/admin/rewards/standing/"
POLICY = "/admin/rewards/rewardpolicy/1/change/"


@pytest.fixture
def levels(acme):
    rows = [("silver", 100), ("gold", 500)]
    return {code: Level.objects.create(code=code, name=code.title(), threshold=threshold) for code, threshold in rows}


@pytest.fixture
def marta(acme):
    return browser_of(staff_of("marketer"))


@pytest.fixture(autouse=True)
def _media_elsewhere(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def filled_in(level=None, **fields):
    """Return the form of a level as it is sent."""
    usual = {"name": "Gold", "code": "gold", "threshold": "500", "multiplier_bps": "1.25", "title": ""}
    return {**usual, **fields}


def page_of(level):
    return f"{LEVELS}{level.pk}/change/"


def said(browser, path=LEVELS):
    return " ".join(browser.get(path).content.decode().split())


def picture(kind="PNG", *, name="badge.png", size=(8, 8)):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, kind)
    return SimpleUploadedFile(name, file.getvalue())


# The ladder


def test_a_level_is_made_with_a_multiplier_as_people_say_it(marta):
    Gift.objects.create(code="vip-chat", kind="privilege", name="VIP chat")

    status = marta.post(f"{LEVELS}add/", filled_in(privileges=["vip-chat"], title="★", picture=picture())).status_code

    level = Level.objects.get()
    assert (status, level.code, level.threshold, level.multiplier_bps) == (302, "gold", 500, 12_500)
    assert (level.privileges, level.title) == (["vip-chat"], "★")
    assert level.picture.name.startswith("levels/badge")
    assert AuditEntry.objects.get().action == "level.added"


def test_the_ladder_stands_in_order_with_how_many_are_on_each_step(marta, levels, anna, boris):
    Level.objects.filter(code="gold").update(multiplier_bps=12_500)
    for member in (anna, boris):
        Standing.objects.create(member=member, level=levels["gold"], since=timezone.now())

    page = said(marta)

    assert page.index("Silver") < page.index("Gold")
    assert "100 points" in page
    assert "×1.25" in page
    assert f'href="{STANDINGS}?level__id__exact={levels["gold"].pk}">2</a>' in page


def test_what_is_measured_in_money_is_typed_and_shown_in_money(marta, acme):
    RewardPolicy.objects.update(level_measure="spent")

    marta.post(f"{LEVELS}add/", filled_in(threshold="5000.50"))

    level = Level.objects.get()
    assert level.threshold == 500_050
    assert "RUB 5,000.50" in said(marta)
    assert 'value="5000.50"' in said(marta, page_of(level))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"threshold": "0"}, "The first level begins above 0"),
        ({"threshold": "1.5"}, "more digits after the point"),
        ({"multiplier_bps": "0.05"}, "greater than or equal to 0.1"),
        ({"multiplier_bps": "11"}, "less than or equal to 10"),
        ({"multiplier_bps": "1.00001"}, "no more than 4 decimal places"),
        ({"privileges": ["mug"]}, "is not one of the available choices"),
        ({"code": "Gold!"}, "level_code_is_plain"),
        ({"threshold": "100"}, "already exists"),
    ],
)
def test_a_level_that_makes_no_sense_is_refused(marta, levels, fields, sentence):
    Gift.objects.create(code="mug", kind="product", name="Mug")
    sent = filled_in(code="platinum", name="Platinum") | fields

    answer = marta.post(f"{LEVELS}add/", sent)

    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert Level.objects.count() == 2


@pytest.mark.parametrize(
    "upload",
    [
        pytest.param(lambda: SimpleUploadedFile("badge.png", b"<svg onload=alert(1)>"), id="no-picture"),
        pytest.param(lambda: picture("GIF"), id="another-kind"),
    ],
)
def test_a_badge_is_a_picture_that_browsers_show(marta, acme, upload):
    answer = marta.post(f"{LEVELS}add/", filled_in(picture=upload()))

    assert answer.status_code == 200
    assert not Level.objects.exists()


def test_a_badge_is_called_by_what_is_in_it(marta, acme):
    marta.post(f"{LEVELS}add/", filled_in(picture=picture("WEBP", name="../../x.php.png")))

    assert Level.objects.get().picture.name.startswith("levels/badge")
    assert Level.objects.get().picture.name.endswith(".webp")


def test_the_code_stays_as_it_is(marta, levels):
    marta.post(page_of(levels["gold"]), filled_in(code="platinum", threshold="500"))

    assert Level.objects.get(pk=levels["gold"].pk).code == "gold"


def test_a_level_on_which_somebody_stands_is_not_deleted(marta, levels, anna):
    Standing.objects.create(member=anna, level=levels["gold"], since=timezone.now())

    marta.post(f"{LEVELS}{levels['gold'].pk}/delete/", {"post": "yes"})

    assert Level.objects.count() == 2


@pytest.mark.parametrize(
    ("fall", "sentence"), [("never", "They keep it: nobody falls."), ("match", "They keep it until ")]
)
def test_raising_a_threshold_tells_how_many_are_short_and_takes_nothing(marta, levels, scene, anna, fall, sentence):
    RewardPolicy.objects.update(level_fall=fall)
    scene.owe(anna, status="granted", given=600)
    Standing.objects.create(member=anna, level=levels["gold"], since=timezone.now(), measured=600)

    marta.post(page_of(levels["gold"]), filled_in(threshold="601"))

    page = said(marta)
    assert "1 member on “Gold” has less than the new threshold." in page
    assert sentence in page
    assert Standing.objects.get().level == levels["gold"]


def test_a_threshold_that_leaves_nobody_short_is_not_talked_about(marta, levels, scene, anna):
    scene.owe(anna, status="granted", given=600)
    Standing.objects.create(member=anna, level=levels["gold"], since=timezone.now(), measured=600)

    marta.post(page_of(levels["gold"]), filled_in(threshold="600"))

    assert "less than the new threshold" not in said(marta)


def test_lowering_a_threshold_says_who_rises(marta, levels):
    marta.post(page_of(levels["gold"]), filled_in(threshold="400"))
    assert "Whoever has enough for “Gold” now rises tonight." in said(marta)

    marta.post(page_of(levels["gold"]), filled_in(threshold="450"))
    assert "rises tonight" not in said(marta)


def test_the_audit_log_has_numbers_as_they_were_typed(marta, levels):
    RewardPolicy.objects.update(level_measure="spent")

    marta.post(page_of(levels["gold"]), filled_in(threshold="7.50", multiplier_bps="1.5"))

    assert AuditEntry.objects.get().changes == {"threshold": ["5", "7.50"], "multiplier_bps": ["1", "1.5"]}
    assert Level.objects.get(code="gold").threshold == 750


# The policy


def test_days_are_asked_for_where_days_are_counted_and_forgotten_elsewhere(marta, acme):
    sent = {
        "level_measure": "earned",
        "level_window": "rolling",
        "level_window_days": "",
        "level_fall": "match",
        "level_grace_days": 30,
        "level_notice_days": 7,
        "reserve_minutes": 30,
    }

    assert "How many days?" in marta.post(POLICY, sent).content.decode()
    assert RewardPolicy.objects.get().level_window == "ever"

    marta.post(POLICY, sent | {"level_window": "year", "level_window_days": 90})
    policy = RewardPolicy.objects.get()
    assert (policy.level_window, policy.level_window_days, policy.level_fall) == ("year", None, "match")


def test_only_an_admin_says_from_when_on_a_second_person_is_needed(marta, acme):
    sent = {
        "level_measure": "earned",
        "level_window": "ever",
        "level_fall": "never",
        "level_grace_days": 30,
        "level_notice_days": 7,
        "reserve_minutes": 45,
        "four_eyes_from": "1000000",
    }

    marta.post(POLICY, sent)
    assert (RewardPolicy.objects.get().reserve_minutes, RewardPolicy.objects.get().four_eyes_from) == (45, 1000)

    browser_of(staff_of("admin")).post(POLICY, sent)
    assert RewardPolicy.objects.get().four_eyes_from == 1_000_000


def test_whoever_counts_something_else_is_told_to_look_at_the_ladder(marta, levels):
    sent = {"level_measure": "referrals", "level_window": "ever", "level_fall": "never", "level_grace_days": 30}

    page = marta.post(POLICY, sent | {"level_notice_days": 7, "reserve_minutes": 30}, follow=True).content.decode()

    assert "Levels now count “Friends who qualified”" in page


# Who stands where


def test_a_level_is_given_to_whoever_was_typed(marta, levels, anna):
    sent = {"who": "anna", "level": levels["gold"].pk, "until": "2099-12-31", "reason": "A partner"}

    answer = marta.post(f"{STANDINGS}add/", sent)

    row = Standing.objects.get()
    assert (answer.status_code, row.member, row.level, row.is_manual) == (302, anna, levels["gold"], True)
    # In Moscow the 31st begins.
    assert row.manual_until.isoformat() == "2099-12-30T21:00:00+00:00"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.changes["reason"]) == ("the-marketer", "level.given", "A partner")
    page = said(marta, STANDINGS)
    assert "anna" in page
    assert "Take…" in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"who": "nobody"}, "Nobody is known by that."),
        ({"reason": ""}, "This field is required."),
        ({"until": "2020-01-01"}, "The end must lie in the future."),
    ],
)
def test_what_cannot_be_given_is_told_on_the_form(marta, levels, anna, fields, sentence):
    sent = {"who": "anna", "level": levels["gold"].pk, "reason": "x"} | fields

    answer = marta.post(f"{STANDINGS}add/", sent)

    assert (answer.status_code, sentence in answer.content.decode()) == (200, True)
    assert not Standing.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_level_is_taken_after_saying_why(marta, levels, anna):
    Standing.objects.create(member=anna, level=levels["gold"], since=timezone.now(), is_manual=True)
    address = f"{STANDINGS}{anna.pk}/take/"

    asked = marta.post(address)
    assert "Take “Gold” from anna" in asked.content.decode()
    assert Standing.objects.exists()

    assert marta.post(address, {"confirmed": "yes", "reason": ""}).status_code == 200
    assert Standing.objects.exists()

    assert marta.post(address, {"confirmed": "yes", "reason": "A mistake"}).status_code == 302
    assert not Standing.objects.exists()
    assert AuditEntry.objects.get().changes["reason"] == "A mistake"


def test_what_was_earned_has_no_button_and_is_not_taken(marta, levels, anna):
    Standing.objects.create(member=anna, level=levels["gold"], since=timezone.now())

    assert "Take…" not in said(marta, STANDINGS)
    answer = marta.post(f"{STANDINGS}{anna.pk}/take/", {"confirmed": "yes", "reason": "x"})

    assert "This level was not given by hand." in answer.content.decode()
    assert Standing.objects.exists()


def test_views_and_search_show_a_part(marta, levels, anna, boris, scene):
    at = timezone.now()
    Standing.objects.create(member=anna, level=levels["gold"], since=at, is_manual=True)
    Standing.objects.create(member=boris, level=levels["silver"], since=at, falls_at=at)

    def found(query):
        page = said(marta, f"{STANDINGS}?{query}")
        return [name for name, member in (("anna", anna), ("boris", boris)) if f"/{member.pk}/change/" in page]

    assert found("") == ["anna", "boris"]
    assert found("show=falling") == ["boris"]
    assert found("show=manual") == ["anna"]
    assert found("q=boris") == ["boris"]
    assert found(f"level__id__exact={levels['gold'].pk}") == ["anna"]


# Who may


@pytest.mark.parametrize("role", ["moderator", "analyst"])
def test_who_only_reads_changes_nothing(levels, anna, role):
    Standing.objects.create(member=anna, level=levels["gold"], since=timezone.now(), is_manual=True)
    browser = browser_of(staff_of(role))

    assert "Take…" not in said(browser, STANDINGS)
    statuses = [
        browser.post(page_of(levels["gold"]), filled_in(threshold="1")).status_code,
        browser.post(f"{LEVELS}{levels['silver'].pk}/delete/", {"post": "yes"}).status_code,
        browser.post(f"{STANDINGS}add/", {"who": "anna", "level": levels["gold"].pk, "reason": "x"}).status_code,
        browser.post(f"{STANDINGS}{anna.pk}/take/", {"confirmed": "yes", "reason": "x"}).status_code,
        browser.post(POLICY, {"level_fall": "match"}).status_code,
    ]

    assert statuses == [403] * 5
    assert Standing.objects.exists()
    assert Level.objects.get(code="gold").threshold == 500
    assert not AuditEntry.objects.exists()
