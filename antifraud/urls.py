"""Addresses under /api/v1/."""

from django.urls import path

from antifraud.api import bans, cases, declined

urlpatterns = [
    path("cases", cases.Cases.as_view(), name="cases"),
    path("cases/<int:case_id>", cases.OneCase.as_view(), name="case"),
    path("cases/<int:case_id>/decision", cases.CaseDecision.as_view(), name="case-decision"),
    path("cases/<int:case_id>/undo", cases.CaseUndo.as_view(), name="case-undo"),
    path("members/<path:external_id>/statement/declined", declined.Declined.as_view(), name="member-declined"),
    path("members/<path:external_id>/ban", bans.Ban.as_view(), name="member-ban"),
]
