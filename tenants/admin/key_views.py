"""Which keys a list shows."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.backoffice import ViewFilter
from tenants.models import ApiKey, Tenant


class KeyView(ViewFilter):
    """Those that open something, those that do not any more, and those of these that somebody still tries."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("valid", _("In force")),
            ("ended", _("Ended")),
            ("tried", _("Tried after their end")),
            ("all", _("All")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        ended = Q(revoked_at__isnull=False) | Q(expires_at__lte=timezone.now())
        match self.value():
            case "valid":
                return queryset.exclude(ended)
            case "ended":
                return queryset.filter(ended)
            case "tried":
                return queryset.filter(refused_at__isnull=False)
        return queryset


class EnvironmentFilter(admin.SimpleListFilter):
    """Where the keys lead."""

    title = _("environment")
    parameter_name = "environment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Tenant.Environment.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        return queryset.filter(tenant__environment=self.value()) if self.value() else queryset
