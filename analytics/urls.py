"""Addresses under /api/v1/."""

from django.urls import path

from analytics.api import exports, leaderboards

urlpatterns = [
    path("exports", exports.Exports.as_view(), name="exports"),
    path("exports/<str:what>", exports.OneExport.as_view(), name="export"),
    path("leaderboards/inviters", leaderboards.Inviters.as_view(), name="leaderboard-inviters"),
    path("leaderboards/inviters/<path:external_id>", leaderboards.Inviter.as_view(), name="leaderboard-inviter"),
]
