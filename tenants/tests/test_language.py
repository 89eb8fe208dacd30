"""In which language and time zone a person is answered."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone, translation

from tenants import context
from tenants.language import LanguageMiddleware
from tenants.staff.models import Staff

pytestmark = pytest.mark.django_db


def answer(*, user: Staff, tenant, accept: str = "zh-hans", path: str = "/admin/") -> tuple[str, str]:
    request: Any = RequestFactory().get(path, headers={"accept-language": accept})
    request.user, request.tenant = user, tenant
    context.leave() if tenant is None else context.enter(tenant)
    seen: dict[str, str] = {}

    def view(_request) -> HttpResponse:
        seen.update(zone=timezone.get_current_timezone_name())
        return HttpResponse()

    with translation.override("en"):
        if tenant is not None:
            translation.activate(tenant.language)
        response = LanguageMiddleware(view)(request)
    timezone.deactivate()
    return response["Content-Language"], seen["zone"]


def test_a_users_own_choice_comes_first(acme):
    maria = Staff(language="en", time_zone="Asia/Shanghai")

    assert answer(user=maria, tenant=acme) == ("en", "Asia/Shanghai")


def test_then_comes_the_tenants(acme):
    assert answer(user=Staff(), tenant=acme) == ("ru", "Europe/Moscow")


def test_the_browser_is_asked_where_there_is_no_tenant(db):
    assert answer(user=Staff(), tenant=None) == ("zh-hans", "UTC")


def test_a_choice_that_there_is_no_more_is_passed_over(acme):
    maria = Staff(language="tlh", time_zone="Mars/Olympus_Mons")

    assert answer(user=maria, tenant=acme) == ("ru", "Europe/Moscow")


@pytest.mark.parametrize("path", ["/api/v1/events", "/r/CODE", "/widget.js"])
def test_programs_and_visitors_are_answered_in_the_tenants_language(acme, path):
    assert answer(user=Staff(language="en"), tenant=acme, path=path)[0] == "ru"
