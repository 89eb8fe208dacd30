"""Addresses under /api/v1/."""

from django.urls import path

from scoring import api

urlpatterns = [path("events/<int:event_id>", api.EventView.as_view(), name="event")]
