"""Addresses under /api/v1/."""

from django.urls import path

from campaigns import api

urlpatterns = [
    path("campaigns/<int:campaign_id>/pause", api.CampaignPause.as_view(), name="campaign-pause"),
    path("campaigns/<int:campaign_id>/resume", api.CampaignResume.as_view(), name="campaign-resume"),
    path("campaigns/<int:campaign_id>", api.OneCampaign.as_view(), name="campaign"),
    path("campaigns", api.Campaigns.as_view(), name="campaigns"),
]
