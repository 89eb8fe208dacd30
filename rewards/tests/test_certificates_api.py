"""Certificates by API: given once under a key, looked at, chosen, taken back; and nothing of it from another tenant."""

import pytest

from rewards.certificates import page
from rewards.models import Entitlement, Gift, StockCode
from rewards.tests.stage import NOON
from rewards.tests.test_certificates import brand_of, give, put
from tenants import context
from tenants.staff.models import AuditEntry
from tests.programs import program_of

pytestmark = pytest.mark.django_db

URL = "/api/v1/certificates"
CODE = "AAA-1"


@pytest.fixture
def coffee(acme):
    gift = brand_of()
    put(gift, CODE)
    return gift


@pytest.fixture
def program(acme):
    return program_of(acme, "rewards:write", "rewards:read")


def body(**changed):
    return {"key": "k1", "member": "anna", "gift": "coffee", "value_minor": 50_000, **changed}


def test_a_certificate_is_given_and_its_code_is_behind_its_link(program, coffee, anna):
    response = program.post(body(), URL)

    told = response.json()
    row = Entitlement.objects.get()
    assert response.status_code == 201
    assert (told["id"], told["status"], told["member"], told["link"]) == (row.pk, "issued", "anna", page.link_of(row))
    assert CODE not in response.content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_kind, entry.actor) == ("certificate.issued", "key", row.actor)
    assert program.get(f"{URL}/{row.pk}").json() == told


def test_the_same_key_gives_the_same_certificate_and_for_another_it_is_refused(program, coffee, anna, boris):
    first = program.post(body(), URL).json()

    assert program.post(body(), URL).json() == first
    for changed in ({"member": "boris"}, {"gift": "other"}, {"value_minor": 70_000}):
        refused = program.post(body(**changed), URL)
        assert (refused.status_code, refused.json()["code"]) == (422, "key_reused")
    assert Entitlement.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"gift": "nothing"}, 404, "unknown_gift"),
        ({"member": "nobody"}, 404, "unknown_member"),
        ({"value_minor": 70_000}, 400, "denomination_not_offered"),
        ({"value_minor": 0}, 400, "invalid"),
    ],
)
def test_what_cannot_be_given_is_refused_and_nothing_happens(program, coffee, anna, changed, status, code):
    response = program.post(body(**changed), URL)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Entitlement.objects.exists()
    assert not AuditEntry.objects.exists()


def test_of_a_pool_a_brand_is_chosen(program, coffee, anna):
    Gift.objects.create(code="any", kind="pool", name="Any", terms={"brands": ["coffee"]})
    told = program.post(body(gift="any"), URL).json()
    assert (told["status"], told["brands"]) == ("choosing", ["coffee"])

    wrong = program.post({"brand": "tea"}, f"{URL}/{told['id']}/choice")
    chosen = program.post({"brand": "coffee"}, f"{URL}/{told['id']}/choice").json()

    assert (wrong.status_code, wrong.json()["code"]) == (400, "brand_not_in_pool")
    assert (chosen["status"], chosen["gift"], chosen["brands"]) == ("issued", "coffee", [])
    assert program.post({"brand": "coffee"}, f"{URL}/{told['id']}/choice").json() == chosen


def test_what_nobody_has_seen_is_taken_back(program, coffee, anna):
    told = program.post(body(), URL).json()

    ended = program.post({"reason": "a mistake"}, f"{URL}/{told['id']}/cancellation").json()

    assert (ended["status"], Entitlement.objects.get().ended_why) == ("cancelled", "a mistake")
    assert StockCode.objects.get().entitlement is None
    assert program.post({}, f"{URL}/{told['id']}/cancellation").json() == ended


def test_what_was_seen_is_not_taken_back(program, coffee, anna):
    told = program.post(body(), URL).json()
    Entitlement.objects.update(shown_at=NOON)

    refused = program.post({}, f"{URL}/{told['id']}/cancellation")

    assert (refused.status_code, refused.json()["code"]) == (409, "certificate_seen")
    assert Entitlement.objects.get().status == "issued"


def test_what_comes_from_a_reward_is_cancelled_with_it(program, scene, coffee, anna):
    (row,) = give(coffee, anna, "k")
    Entitlement.objects.update(reward_id=scene.owe(anna))

    refused = program.post({}, f"{URL}/{row.pk}/cancellation")

    assert (refused.status_code, refused.json()["code"]) == (409, "part_of_more")


def test_certificates_are_listed_by_member_gift_and_status(program, coffee, anna, boris):
    first = program.post(body(), URL).json()["id"]
    second = program.post(body(key="k2", member="boris"), URL).json()["id"]

    def listed(**query):
        return [each["id"] for each in program.get(URL, **query).json()["data"]]

    assert listed() == [second, first]
    assert listed(member="boris") == [second]
    assert listed(status="waiting") == [second]
    assert (listed(gift="tea"), listed(member="nobody")) == ([], [])


def test_another_tenant_finds_nothing_and_changes_nothing(program, bolt, coffee, anna):
    told = program.post(body(), URL).json()
    with context.in_public():
        stranger = program_of(bolt, "rewards:write", "rewards:read")

    answers = [
        stranger.get(f"{URL}/{told['id']}"),
        stranger.post({}, f"{URL}/{told['id']}/cancellation"),
        stranger.post({"brand": "coffee"}, f"{URL}/{told['id']}/choice"),
        stranger.post(body(), URL),
    ]

    assert [each.status_code for each in answers] == [404, 404, 404, 404]
    assert stranger.get(URL).json()["data"] == []
    with context.in_tenant("t_acme"):
        assert Entitlement.objects.get().status == "issued"


def test_a_key_without_the_scope_may_not(acme, coffee, anna):
    reader, writer = program_of(acme, "rewards:read"), program_of(acme, "rewards:write")

    assert reader.post(body(), URL).json()["code"] == "missing_scope"
    assert writer.get(URL).json()["code"] == "missing_scope"
    assert not Entitlement.objects.exists()
