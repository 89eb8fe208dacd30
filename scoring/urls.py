"""Addresses under /api/v1/."""

from django.urls import path

from scoring.api import events, explanations

urlpatterns = [
    path("events/<int:event_id>", events.EventView.as_view(), name="event"),
    path("members/<path:external_id>/explanations", explanations.Explanations.as_view(), name="member-explanations"),
]
