"""Addresses under /api/v1/."""

from django.urls import path

from antifraud import api

urlpatterns = [
    path("members/<path:external_id>/statement/declined", api.Declined.as_view(), name="member-declined"),
]
