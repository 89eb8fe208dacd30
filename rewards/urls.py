"""Addresses under /api/v1/."""

from django.urls import path

from rewards import api

# An external_id may hold slashes, so what is asked about a member comes before the member.
urlpatterns = [
    path("members/<path:external_id>/statement", api.Statement.as_view(), name="member-statement"),
    path("members/<path:external_id>/rewards", api.MemberRewards.as_view(), name="member-rewards"),
    path("members/<path:external_id>", api.Member.as_view(), name="member"),
    path("rewards", api.Rewards.as_view(), name="rewards"),
]
