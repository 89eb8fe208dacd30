"""Addresses under /api/v1/sandbox/."""

from django.urls import path

from integrations.sandbox import api

urlpatterns = [
    path("clear", api.Clear.as_view(), name="sandbox-clear"),
    path("clock", api.Clock.as_view(), name="sandbox-clock"),
    path("webhooks", api.Webhooks.as_view(), name="sandbox-webhooks"),
    path("fixtures", api.Fixtures.as_view(), name="sandbox-fixtures"),
]
