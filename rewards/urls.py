"""Addresses under /api/v1/."""

from django.urls import path

from rewards.api import (
    adjustments,
    catalogue,
    certificate_pages,
    certificates,
    codes,
    entitlements,
    issuing,
    levels,
    members,
    payouts,
    pictures,
    purchases,
    reservations,
    rewards,
)

# An external_id may hold slashes, so what is asked about a member comes before the member.
urlpatterns = [
    path("members/<path:external_id>/statement/upcoming", members.Upcoming.as_view(), name="member-upcoming"),
    path("members/<path:external_id>/statement", members.Statement.as_view(), name="member-statement"),
    path("members/<path:external_id>/level", levels.MemberLevel.as_view(), name="member-level"),
    path("members/<path:external_id>/rewards", rewards.MemberRewards.as_view(), name="member-rewards"),
    path(
        "members/<path:external_id>/entitlements",
        entitlements.MemberEntitlements.as_view(),
        name="member-entitlements",
    ),
    path("members/<path:external_id>/privileges", entitlements.MemberPrivileges.as_view(), name="member-privileges"),
    path("members/<path:external_id>", members.Member.as_view(), name="member"),
    path("entitlements/<int:entitlement_id>", entitlements.OneEntitlement.as_view(), name="entitlement"),
    path("codes/check", codes.Check.as_view(), name="code-check"),
    path("codes/redemptions", codes.CodeRedemptions.as_view(), name="code-redemptions"),
    path("codes/releases", codes.Releases.as_view(), name="code-releases"),
    path("certificates", certificates.Certificates.as_view(), name="certificates"),
    path("certificates/<int:certificate_id>", certificates.Certificate.as_view(), name="certificate"),
    path(
        "certificates/<int:certificate_id>/cancellation",
        certificates.CertificateCancellation.as_view(),
        name="certificate-cancellation",
    ),
    path("certificates/<int:certificate_id>/choice", certificates.Choice.as_view(), name="certificate-choice"),
    path("catalogue", catalogue.Catalogue.as_view(), name="catalogue"),
    path("catalogue/<str:gift_code>", catalogue.OneGift.as_view(), name="gift"),
    path("purchases", purchases.Purchases.as_view(), name="purchases"),
    path("purchases/<int:purchase_id>", purchases.Purchase.as_view(), name="purchase"),
    path(
        "purchases/<int:purchase_id>/cancellation",
        purchases.PurchaseCancellation.as_view(),
        name="purchase-cancellation",
    ),
    path("redemptions", reservations.Redemptions.as_view(), name="redemptions"),
    path("redemptions/quote", reservations.Quote.as_view(), name="redemption-quote"),
    path("redemptions/<int:redemption_id>", reservations.OneRedemption.as_view(), name="redemption"),
    path("redemptions/<int:redemption_id>/capture", reservations.Capture.as_view(), name="redemption-capture"),
    path("redemptions/<int:redemption_id>/release", reservations.Release.as_view(), name="redemption-release"),
    path("redemptions/<int:redemption_id>/return", reservations.Return.as_view(), name="redemption-return"),
    path("levels", levels.Levels.as_view(), name="levels"),
    path("adjustments", adjustments.Adjustments.as_view(), name="adjustments"),
    path("adjustments/<int:adjustment_id>", adjustments.OneAdjustment.as_view(), name="adjustment"),
    path("payouts", payouts.Payouts.as_view(), name="payouts"),
    path("payouts/<int:payout_id>", payouts.OnePayout.as_view(), name="payout"),
    path("payouts/<int:payout_id>/settlement", payouts.Settlement.as_view(), name="payout-settlement"),
    path("payouts/<int:payout_id>/failure", payouts.Failure.as_view(), name="payout-failure"),
    path("rewards", issuing.Rewards.as_view(), name="rewards"),
    path("rewards/<int:reward_id>", issuing.OneReward.as_view(), name="reward"),
    path("rewards/<int:reward_id>/cancellation", issuing.RewardCancellation.as_view(), name="reward-cancellation"),
]

# Under the host itself, for browsers.
files = [
    path("media/<path:path>", pictures.Picture.as_view(), name="picture"),
    path("content/<str:token>", pictures.Content.as_view(), name="content"),
    path("c/<str:certificate>", certificate_pages.Certificate.as_view(), name="certificate-page"),
]
