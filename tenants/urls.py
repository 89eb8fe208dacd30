"""Addresses under /api/v1/."""

from django.urls import path

from tenants import api

urlpatterns = [path("key", api.Key.as_view(), name="key")]
