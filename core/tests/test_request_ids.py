import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from core.http import RequestIdMiddleware, request_id_of


def sent(headers):
    return RequestIdMiddleware(lambda request: HttpResponse(request_id_of(request)))(
        RequestFactory().get("/", headers=headers)
    )


@pytest.mark.parametrize("given", ["a", "Trace_1-2", "x" * 64])
def test_a_callers_id_goes_in_and_out(given):
    response = sent({"X-Request-Id": given})

    assert (response.content.decode(), response["X-Request-Id"]) == (given, given)


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\r\nSet-Cookie: x", "я", "<script>"])
def test_a_bad_id_is_replaced_by_one_of_ours(given):
    assert re.fullmatch("[0-9a-f]{32}", sent({"X-Request-Id": given})["X-Request-Id"])


def test_two_requests_have_two_ids():
    assert sent({})["X-Request-Id"] != sent({})["X-Request-Id"]
