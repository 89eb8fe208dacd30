"""Addresses under the tenant's host itself, for pages of other sites."""

from django.urls import path

from integrations.widget import api

files = [path("widget.js", api.Script.as_view(), name="widget")]
