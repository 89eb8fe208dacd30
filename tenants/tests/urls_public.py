"""The platform's host, as far as these tests need one."""

from django.urls import path

from core.backoffice import platform_site
from tenants.tests.urls import Whose

urlpatterns = [path("admin/", platform_site.urls), path("api/whose", Whose.as_view())]
