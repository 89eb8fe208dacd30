"""The API and its reference, at a tenant's host and at the platform's own."""

from django.urls import URLPattern, URLResolver, include, path

from config import guides, reference

# An external_id may hold slashes: what antifraud and scoring say of a member comes before the member.
V1 = [
    "analytics.urls",
    "antifraud.urls",
    "campaigns.urls",
    "events.urls",
    "integrations.urls",
    "scoring.urls",
    "members.urls",
    "referrals.urls",
    "rewards.urls",
    "tenants.urls",
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include([path("", include(urls)) for urls in V1])),
    path("schema/", reference.Document.as_view(), name="schema"),
    path("docs/", reference.Page.as_view(), name="docs"),
    path("docs/guides/", guides.guide, name="guides"),
    path("docs/guides/<slug:page>/", guides.guide, name="guide"),
]
