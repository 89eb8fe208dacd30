"""Addresses under /api/v1/."""

from django.urls import path

from events import api

urlpatterns = [path("events", api.Events.as_view(), name="events")]
