"""Addresses under /api/v1/."""

from django.urls import path

from events import api

urlpatterns = [
    path("events/<int:event_id>/retry", api.EventRetry.as_view(), name="event-retry"),
    path("events", api.Events.as_view(), name="events"),
]
