"""What of an address is a name, and what leads on, where a name has a slash in it."""

import pytest
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from django.urls import resolve

from core.http.slashes import STAND_IN, SlashMiddleware


def led(decoded, sent, server="RAW_URI"):
    """Return where an address leads, with the names in it, and what it is called afterwards."""
    seen = []

    def answer(request):
        found = resolve(request.path_info)
        middleware.process_view(request, found.func, found.args, found.kwargs)
        seen.append((found.url_name, found.kwargs, request.path_info))
        return HttpResponse()

    middleware = SlashMiddleware(answer)
    request = RequestFactory().get("/")
    request.path_info, request.META = decoded, request.META | {server: sent}
    middleware(request)
    assert request.path_info == decoded
    return seen[0]


@pytest.mark.parametrize("server", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize("slash", ["%2F", "%2f"])
def test_an_encoded_slash_belongs_to_the_name(server, slash):
    decoded = "/api/v1/members/team/ban"

    assert led(decoded, f"/api/v1/members/team{slash}ban?note=x", server) == (
        "member",
        {"external_id": "team/ban"},
        decoded,
    )
    assert led(f"{decoded}/ban", f"/api/v1/members/team{slash}ban/ban", server)[:2] == (
        "member-ban",
        {"external_id": "team/ban"},
    )


@pytest.mark.parametrize(
    "sent",
    [
        "http://acme.example.com/api/v1/members/team%2Fban",
        "HTTPS://acme.example.com:8000/api/v1/members/team%2Fban?note=x",
        "/api/v1/members/team%2Fban#x",
    ],
)
def test_it_does_so_however_the_address_was_sent(sent):
    assert led("/api/v1/members/team/ban", sent)[:2] == ("member", {"external_id": "team/ban"})


@pytest.mark.parametrize(
    ("decoded", "sent"),
    [
        ("/api/v1/members/team/ban", "/api/v1/members/team/ban"),
        # A server that does not say what was sent, and a proxy that made something else of it.
        ("/api/v1/members/team/ban", ""),
        ("/api/v1/members/team/ban", "/elsewhere/team%2Fban"),
    ],
)
def test_a_slash_that_is_none_of_the_names_leads_on(decoded, sent):
    assert led(decoded, sent)[:2] == ("member-ban", {"external_id": "team"})


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("команда/1", "%D0%BA%D0%BE%D0%BC%D0%B0%D0%BD%D0%B4%D0%B0%2F1"),
        ("100%2F/a b", "100%252F%2Fa%20b"),
        ("/", "%2F"),
        ("a//ban", "a%2F%2Fban"),
    ],
)
def test_a_name_arrives_as_it_is(name, sent):
    assert led(f"/api/v1/members/{name}", f"/api/v1/members/{sent}")[:2] == ("member", {"external_id": name})


def test_a_number_stays_a_number():
    assert led("/api/v1/events/7", "/api/v1/events/7")[1] == {"event_id": 7}


def test_whoever_sends_the_stand_in_gets_no_slash_for_it():
    assert led(f"/api/v1/members/a{STAND_IN}ban", "/api/v1/members/a%EF%B7%90ban")[1] == {
        "external_id": f"a{STAND_IN}ban"
    }
    with pytest.raises(Http404):
        led(f"/api/v1/members/a{STAND_IN}b/ban", "/api/v1/members/a%EF%B7%90b%2Fban")


def test_what_is_no_api_is_left_alone():
    assert led("/admin/x/y/", "/admin/x%2Fy/")[2] == "/admin/x/y/"
