"""Addresses under /api/v1/."""

from django.urls import include, path

from integrations.api import deliveries, webhooks

urlpatterns = [
    path("webhooks", webhooks.Webhooks.as_view(), name="webhooks"),
    path("webhooks/kinds", webhooks.Kinds.as_view(), name="webhook-kinds"),
    path("webhooks/<int:webhook_id>", webhooks.OneWebhook.as_view(), name="webhook"),
    path("webhooks/<int:webhook_id>/rotation", webhooks.Rotation.as_view(), name="webhook-rotation"),
    path("webhooks/<int:webhook_id>/test", webhooks.Test.as_view(), name="webhook-test"),
    path("webhooks/<int:webhook_id>/resend", webhooks.Resend.as_view(), name="webhook-resend"),
    path("webhooks/<int:webhook_id>/deliveries", deliveries.Deliveries.as_view(), name="deliveries"),
    path("webhooks/<int:webhook_id>/deliveries/<int:delivery_id>", deliveries.OneDelivery.as_view(), name="delivery"),
    path(
        "webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/resend",
        deliveries.DeliveryResend.as_view(),
        name="delivery-resend",
    ),
    path("sandbox/", include("integrations.sandbox.urls")),
]
