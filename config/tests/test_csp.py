from django.http import HttpResponse
from django.test import RequestFactory

from config.csp import ContentSecurityPolicyMiddleware


def policy_of(path):
    middleware = ContentSecurityPolicyMiddleware(lambda _: HttpResponse())
    return middleware(RequestFactory().get(path))["Content-Security-Policy"]


def test_scripts_come_from_us_alone():
    assert "script-src 'self';" in policy_of("/api/docs/") + ";"
    assert "default-src 'none'" in policy_of("/api/docs/")


def test_the_admin_may_evaluate_its_attributes():
    assert "script-src 'self' 'unsafe-eval'" in policy_of("/admin/")


def test_nobody_frames_us():
    assert all("frame-ancestors 'none'" in policy_of(path) for path in ("/", "/admin/", "/api/v1/events"))


def test_the_data_of_the_api_may_load_nothing():
    assert policy_of("/api/v1/events") == "default-src 'none'; frame-ancestors 'none'"
