"""Addresses of the API, under /api/v1/, and of the links that members share, under the host itself."""

from django.urls import path

from referrals.api import clicks, codes, follow, qr, referrals

# An external_id may hold slashes.
urlpatterns = [
    path("members/<path:external_id>/referrals/tree", referrals.Tree.as_view(), name="member-tree"),
    path("members/<path:external_id>/referrals", referrals.MemberReferrals.as_view(), name="member-referrals"),
    path("members/<path:external_id>/inviter", referrals.Inviter.as_view(), name="member-inviter"),
    path("members/<path:external_id>/code", codes.Code.as_view(), name="member-code"),
    path("members/<path:external_id>/link", codes.Link.as_view(), name="member-link"),
    path("members/<path:external_id>/qr", qr.Qr.as_view(), name="member-qr"),
    path("referrals", referrals.Referrals.as_view(), name="referrals"),
    path("referrals/<int:referral_id>", referrals.OneReferral.as_view(), name="referral"),
    path("clicks", clicks.Clicks.as_view(), name="clicks"),
]

links = [path("r/<str:code>", follow.Follow.as_view(), name="link")]
