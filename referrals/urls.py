"""Addresses of the API, under /api/v1/, and of the links that members share, under the host itself."""

from django.urls import path

from referrals import api

# An external_id may hold slashes.
urlpatterns = [path("members/<path:external_id>/referrals", api.Referrals.as_view(), name="member-referrals")]

links = [path("r/<str:code>", api.Follow.as_view(), name="link")]
