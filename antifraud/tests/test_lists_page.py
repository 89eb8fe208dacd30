"""The lists in the back office."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from antifraud.models import Listing
from tenants import context
from tenants.staff.models import AuditEntry
from tests.cast import Shop
from tests.people import browser_of, staff_of

pytestmark = pytest.mark.django_db

LIST = "/admin/antifraud/listing/"
EMAIL = {"list": "block", "kind": "email", "value": "anna@example.com", "answer": "flag", "note": "chargebacks"}


@pytest.fixture
def admin(acme):
    return browser_of(staff_of("admin"))


def test_a_list_that_is_empty_asks_for_its_first_line_and_a_filter_that_finds_nothing_to_be_reset(admin):
    empty, filtered = (
        admin.get(f"{LIST}?show=datacenter{more}").content.decode() for more in ("", "&kind__exact=email")
    )

    assert "Nothing here" in empty
    assert "Reset filters" not in empty
    assert "No results found" in filtered


def test_an_admin_puts_a_line_and_sees_it_masked(admin):
    answer = admin.post(f"{LIST}add/", EMAIL, follow=True)

    (row,) = Listing.objects.all()
    assert (row.list, row.kind, row.answer, row.until, row.note, row.added_by) == (
        "block",
        "email",
        "flag",
        None,
        "chargebacks",
        "the-admin",
    )
    page = answer.content.decode()
    assert "In the list now: Stop list: a***@e***.com" in page
    assert "anna@example.com" not in page
    assert AuditEntry.objects.filter(action__startswith="listing.").count() == 1


@pytest.mark.parametrize(
    ("said", "field", "sentence"),
    [
        ({"value": "anna"}, "value", "This is not an e-mail address."),
        ({"kind": "member", "value": "12345"}, "value", "There is no member of that number."),
        ({"kind": "ip_range", "value": "0.0.0.0/0"}, "value", "This range is too wide"),
        ({"answer": ""}, "answer", "A line of a stop list says what then"),
        ({"list": "exempt", "answer": ""}, "last_day", "an exemption has an end"),
        ({"last_day": "2020-01-01"}, "last_day", "This time is over."),
        ({"list": "datacenter", "answer": ""}, "kind", "The list of data centres holds IP ranges only."),
    ],
)
def test_what_is_wrong_stands_at_its_field(admin, said, field, sentence):
    answer = admin.post(f"{LIST}add/", EMAIL | said)

    errors = answer.context["adminform"].form.errors
    assert list(errors) == [field]
    assert sentence in errors[field][0]
    assert not Listing.objects.exists()


def test_an_exemption_counts_through_its_last_day(admin):
    admin.post(f"{LIST}add/", EMAIL | {"list": "exempt", "answer": "flag", "last_day": "2099-12-31"})

    (row,) = Listing.objects.all()
    assert (row.answer, row.until.isoformat()) == ("", "2099-12-31T21:00:00+00:00")


def test_lines_are_found_by_the_whole_value_and_not_by_address(admin):
    admin.post(f"{LIST}add/", EMAIL)
    admin.post(f"{LIST}add/", EMAIL | {"kind": "ip_range", "value": "203.0.113.0/24"})

    found = admin.post(f"{LIST}find/", {"what": "ANNA@example.com"}, follow=True)
    assert [row.kind for row in found.context["cl"].result_list] == ["email"]
    assert "example.com" not in found.redirect_chain[0][0]
    nothing = admin.post(f"{LIST}find/", {"what": "clara@example.com"}, follow=True)
    assert "That stands in no list." in nothing.content.decode()


def test_a_line_is_taken_out_after_a_question(admin):
    admin.post(f"{LIST}add/", EMAIL)
    (row,) = Listing.objects.all()

    page = admin.get(f"{LIST}{row.pk}/delete/").content.decode()
    assert "a***@e***.com" in page
    assert Listing.objects.exists()
    admin.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})

    assert not Listing.objects.exists()
    assert AuditEntry.objects.latest("id").action == "listing.removed"


def upload(browser, text: str, **said):
    file = SimpleUploadedFile("list.csv", text.encode(), content_type="text/csv")
    return browser.post(
        f"{LIST}upload/", {"list": "block", "kind": "email_domain", "answer": "refuse", "file": file, **said}
    )


def test_a_file_goes_in_but_for_its_bad_rows(admin):
    page = upload(admin, "example.com\nexample\nexample.com\nexample.org\n").content.decode()

    assert sorted(Listing.objects.values_list("lookup", "answer")) == [
        ("example.com", "refuse"),
        ("example.org", "refuse"),
    ]
    assert "2 lines put in, 0 brought up to date." in page
    assert "1 rows said the same as one before them." in page
    assert '<td class="num">2</td><td>This is not an e-mail domain.' in page


def test_what_is_no_file_of_lines_is_told_at_the_field(admin):
    answer = upload(admin, " \n")

    assert answer.context["form"].errors == {"file": ["This is not a CSV file in UTF-8 with a line in it."]}
    assert not Listing.objects.exists()


def test_the_download_is_a_post_and_is_noted(admin):
    admin.post(f"{LIST}add/", EMAIL | {"note": "=cmd()"})

    assert admin.get(f"{LIST}export/").status_code == 302
    text = admin.post(f"{LIST}export/?show=block").content.decode()

    assert "block,email,anna@example.com,flag,,'=cmd(),the-admin," in text
    assert AuditEntry.objects.latest("id").action == "listing.exported"


@pytest.mark.parametrize("role", ["marketer", "moderator", "analyst"])
def test_others_read_the_lists_and_change_nothing(admin, role):
    admin.post(f"{LIST}add/", EMAIL)
    (row,) = Listing.objects.all()
    browser = browser_of(staff_of(role))

    assert browser.get(LIST).status_code == 200
    assert browser.post(f"{LIST}add/", EMAIL | {"value": "b@example.com"}).status_code == 403
    assert browser.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert upload(browser, "example.com").status_code == 403
    assert browser.post(f"{LIST}export/").status_code == 403
    assert Listing.objects.count() == 1


def test_the_page_of_a_line_opens_nothing(admin):
    admin.post(f"{LIST}add/", EMAIL)
    (row,) = Listing.objects.all()

    page = admin.get(f"{LIST}{row.pk}/change/").content.decode()

    assert ("a***@e***.com" in page, "anna@example.com" in page, row.value in page) == (True, False, False)
    assert f"{LIST}{row.pk}/delete/" in page
    assert admin.post(f"{LIST}{row.pk}/change/", EMAIL | {"note": "other"}).status_code == 200
    assert Listing.objects.get().note == "chargebacks"
    assert admin.get(f"{LIST}999999/change/").status_code == 404


def test_another_tenants_staff_finds_none_of_it(admin, bolt):
    admin.post(f"{LIST}add/", EMAIL)
    (row,) = Listing.objects.all()
    with context.in_tenant(bolt.schema_name):
        stranger = browser_of(staff_of("admin"), host="bolt.localhost")

    assert "a***" not in stranger.get(f"{LIST}?show=all").content.decode()
    stranger.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    found = stranger.post(f"{LIST}find/", {"what": "anna@example.com"}, follow=True)

    assert "That stands in no list." in found.content.decode()
    with context.in_tenant("t_acme"):
        assert Listing.objects.count() == 1


def test_a_member_in_a_list_is_called_by_name(admin):
    shop = Shop()
    shop.joins("anna")
    admin.post(f"{LIST}add/", EMAIL | {"kind": "member", "value": str(shop.id_of("anna"))})

    page = admin.get(LIST).content.decode()
    assert reverse("admin:members_member_change", args=[shop.id_of("anna")]) in page
    assert ">anna<" in page
