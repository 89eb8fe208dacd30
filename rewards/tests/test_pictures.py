from datetime import timedelta
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from core.db import transaction
from rewards import entitlements, pictures
from rewards.models import Entitlement
from rewards.tests.selling import buy, earn, put_on_sale
from rewards.tests.stage import NOON
from tenants import context

ACME, BOLT = "acme.localhost", "bolt.localhost"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    # As it is outside of tests: each tenant's in a folder of its own.
    settings.MEDIA_ROOT = str(tmp_path)
    backend = "django_tenants.files.storage.TenantFileSystemStorage"
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": backend}}


def painted(kind="PNG", size=(8, 8)):
    found = BytesIO()
    Image.new("RGB", size, "teal").save(found, kind)
    return found.getvalue()


def ask(path, host=ACME):
    response = Client(headers={"host": host}).get(path)
    response.body = b"".join(response)
    return response


# Uploads


@pytest.mark.parametrize(("kind", "ending"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_picture_is_known_by_what_is_in_it(kind, ending):
    assert pictures.check(SimpleUploadedFile("x.exe", painted(kind))) == ending


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg onload='alert(1)'/>",
        b"<html><script>alert(1)</script>",
        painted("GIF"),
        painted("PNG")[:60],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        painted("PNG", (4097, 4097)),
        painted("PNG") + b"\0" * pictures.SIZE_BYTES_MAX,
    ],
    ids=["empty", "svg", "html", "gif", "cut", "header only", "too many pixels", "too large"],
)
def test_what_is_no_good_picture_is_refused(content):
    with pytest.raises(pictures.InvalidPicture):
        pictures.check(SimpleUploadedFile("mug.png", content, content_type="image/png"))


# Showing


def test_a_picture_is_shown_at_its_own_tenants_host_alone(acme, bolt):
    default_storage.save("gifts/mug.png", ContentFile(painted()))

    found = ask("/media/gifts/mug.png")

    assert (found.status_code, found.headers["Content-Type"], found.body) == (200, "image/png", painted())
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Cache-Control"] == "public, max-age=86400"
    assert found.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert ask("/media/gifts/mug.png", BOLT).status_code == 404


def test_a_picture_is_shown_at_the_address_that_its_storage_gives(acme, bolt):
    default_storage.save("gifts/mug.png", ContentFile(painted()))
    address = default_storage.url("gifts/mug.png")

    assert (address, ask(address).status_code) == ("/media/t_acme/gifts/mug.png", 200)
    assert ask(address, BOLT).status_code == 404


def test_two_tenants_pictures_of_one_name_are_two(acme, bolt):
    default_storage.save("levels/gold.png", ContentFile(painted()))
    with context.in_tenant("t_bolt"):
        default_storage.save("levels/gold.png", ContentFile(painted("JPEG")))

    assert ask("/media/levels/gold.png").headers["Content-Type"] == "image/png"
    assert ask("/media/levels/gold.png", BOLT).headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    "path",
    [
        "content/notes.png",
        "mug.png",
        "gifts/",
        "gifts/.hidden.png",
        "gifts/a/mug.png",
        "gifts/../content/notes.png",
        "gifts/%2e%2e/content/notes.png",
        "gifts/..%2fcontent%2fnotes.png",
        "../t_bolt/gifts/mug.png",
        "gifts/..%2f..%2ft_bolt%2fgifts%2fmug.png",
        "/etc/passwd",
        "gifts/mug.png%00",
        "gifts/page.png",
        "gifts/unknown.png",
    ],
)
def test_nothing_else_is_shown(acme, bolt, path):
    for name in ("content/notes.png", "mug.png", "gifts/.hidden.png", "gifts/a/mug.png"):
        default_storage.save(name, ContentFile(painted()))
    default_storage.save("gifts/page.png", ContentFile(b"<html><script>alert(1)</script>"))
    with context.in_tenant("t_bolt"):
        default_storage.save("gifts/mug.png", ContentFile(painted()))

    assert ask(f"/media/{path}").status_code == 404


def test_a_pictures_address_is_that_of_its_own_host(acme):
    gift = put_on_sale()
    gift.picture.save("mug.png", ContentFile(painted()))

    address = pictures.address_of(gift.picture)

    assert address.endswith(f"/media/{gift.picture.name}")
    assert address.startswith("http://acme.localhost")
    assert pictures.address_of(put_on_sale().picture) is None


# Content


@pytest.fixture
def notes(scene, anna):
    earn(anna, 100)
    gift = put_on_sale(kind="content", terms={})
    gift.file.save("notes.pdf", ContentFile(b"%PDF the notes"))
    buy(anna, gift)
    return Entitlement.objects.select_related("gift").get()


def path_of(link):
    return "/content/" + link.rpartition("/")[2]


@pytest.fixture
def at_noon(monkeypatch):
    # The edge's clock.
    monkeypatch.setattr("rewards.api.pictures.now", lambda: NOON)


def test_a_file_is_given_to_whoever_has_the_link_and_is_then_seen(notes, at_noon):
    link = pictures.content_link(entitlement=notes, at=NOON)

    found = ask(path_of(link))

    assert (found.status_code, found.body) == (200, b"%PDF the notes")
    assert found.headers["Content-Disposition"].startswith('attachment; filename="notes')
    assert found.headers["Cache-Control"] == "private, no-store"
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert Entitlement.objects.get().shown_at == NOON


def test_a_link_is_over_after_a_day(notes, at_noon):
    link = pictures.content_link(entitlement=notes, at=NOON - pictures.LINK_TTL)

    assert ask(path_of(link)).status_code == 404
    assert ask(path_of(pictures.content_link(entitlement=notes, at=NOON - timedelta(hours=23)))).status_code == 200


def test_a_link_opens_nothing_at_another_tenants_host(notes, bolt, at_noon):
    link = pictures.content_link(entitlement=notes, at=NOON)

    assert ask(path_of(link), BOLT).status_code == 404


@pytest.mark.parametrize("change", [lambda token: token[:-1] + "-", lambda token: "x" + token, lambda token: "x"])
def test_a_link_that_was_changed_opens_nothing(notes, at_noon, change):
    token = path_of(pictures.content_link(entitlement=notes, at=NOON)).rpartition("/")[2]

    assert ask(f"/content/{change(token)}").status_code == 404


def test_a_link_opens_nothing_once_the_entitlement_has_ended(notes, at_noon):
    link = pictures.content_link(entitlement=notes, at=NOON)
    with transaction():
        entitlements.stop(entitlements=[notes], why="Returned", at=NOON)

    assert ask(path_of(link)).status_code == 404
    assert pictures.content_link(entitlement=Entitlement.objects.get(), at=NOON) is None


def test_what_is_taken_back_while_it_is_opened_is_not_opened(notes):
    with transaction():
        entitlements.stop(entitlements=[notes], why="Returned", at=NOON)

    with pytest.raises(pictures.LinkOver):
        pictures.note_opened(entitlement=notes, at=NOON)

    assert Entitlement.objects.get().shown_at is None


def test_content_without_a_file_is_at_its_address(scene, anna):
    earn(anna, 100)
    buy(anna, put_on_sale(kind="content", terms={"url": "https://example.com/notes"}))

    assert pictures.content_link(entitlement=Entitlement.objects.get(), at=NOON) == "https://example.com/notes"


def test_a_mug_is_no_content(scene, anna):
    earn(anna, 100)
    buy(anna, put_on_sale())

    assert pictures.content_link(entitlement=Entitlement.objects.get(), at=NOON) is None
