"""Addresses under /api/v1/."""

from django.urls import path

from members import api

urlpatterns = [path("members", api.Members.as_view(), name="members")]
