"""Addresses under /api/v1/."""

from django.urls import path

from members.api import export, members, merges

# An external_id may hold slashes.
urlpatterns = [
    path("members", members.Members.as_view(), name="members"),
    path("members/merges", merges.Merges.as_view(), name="member-merges"),
    path("members/search", members.MemberSearch.as_view(), name="member-search"),
    path("members/<path:external_id>/export", export.MemberExport.as_view(), name="member-export"),
]
