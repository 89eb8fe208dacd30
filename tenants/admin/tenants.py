"""The platform's pages of tenants and their domains."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import ModelAdmin, Question, audit, link, platform_site, post_button
from core.db import transaction
from tenants import hosts, provisioning, standing
from tenants.admin.rows import get_row
from tenants.admin.secrets import SecretsPage
from tenants.forms import DomainForm, NewTenantForm, TenantForm
from tenants.models import Domain, Tenant
from tenants.spaces import TEMPLATE


@admin.register(Tenant, site=platform_site)
class TenantPage(SecretsPage):
    """The businesses on the platform. A sandbox has no page of its own: it goes with its tenant."""

    secrets_title = _("The tenant is ready")
    list_display = ("name", "address", "status", "currency", "time_zone", "language", "created_at", "button")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        tenants: QuerySet[Tenant] = super().get_queryset(request)
        return tenants.filter(live=None).exclude(schema_name=TEMPLATE)

    def get_form(self, request: HttpRequest, obj: Tenant | None = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, **{**kwargs, "form": NewTenantForm if obj is None else TenantForm})

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        if obj is None:
            return ["name", "slug", "time_zone", "currency", "language", "admin_username", "admin_password"]
        return [
            "name",
            "time_zone",
            "language",
            "requests_a_day_max",
            "events_a_day_max",
            *self.get_readonly_fields(request, obj),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        return [] if obj is None else ["slug", "address", "currency", "status", "created_at", "button"]

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            super().save_model(request, obj, form, change)
            standing.give_sandbox_its_quotas(tenant=obj)
            return
        assert isinstance(form, NewTenantForm)
        created = provisioning.add(wish=form.wish(), at=timezone.now())
        obj.pk = created.tenant.pk
        request.secrets = [  # type: ignore[attr-defined]
            (_("Address"), _address_of(created.tenant)),
            (_("User name"), created.admin_username),
            (_("Password"), created.admin_password),
            (_("Live key"), created.live_key),
            (_("Test key"), created.test_key),
        ]

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url("<int:tenant_id>/suspend/", self.suspend, name="suspend", ask=self.ask_suspend),
            self.post_url("<int:tenant_id>/resume/", self.resume, name="resume"),
            *super().get_urls(),
        ]

    def ask_suspend(self, request: HttpRequest, tenant_id: int) -> Question:
        tenant = get_row(self.get_queryset(request), tenant_id)
        return Question(
            gettext("Suspend “%(name)s”?") % {"name": tenant.name},
            gettext("Its API, its pages and its back office are closed until you resume it. Nothing is deleted."),
            _("Suspend"),
        )

    def suspend(self, request: HttpRequest, tenant_id: int) -> Promise:
        tenant = get_row(self.get_queryset(request), tenant_id)
        with transaction():
            standing.suspend(tenant=tenant)
            audit(request, action="tenant.suspended", target=f"tenant:{tenant.pk} {tenant}")
        return _("The tenant is suspended.")

    def resume(self, request: HttpRequest, tenant_id: int) -> Promise:
        tenant = get_row(self.get_queryset(request), tenant_id)
        with transaction():
            standing.resume(tenant=tenant)
            audit(request, action="tenant.resumed", target=f"tenant:{tenant.pk} {tenant}")
        return _("The tenant is served again.")

    @admin.display(description=_("address"))
    def address(self, tenant: Tenant) -> SafeString:
        return link(hosts.name_for(tenant.slug), _address_of(tenant))

    @admin.display(description="")
    def button(self, tenant: Tenant) -> SafeString:
        if tenant.status == Tenant.Status.ACTIVE:
            return post_button(_("Suspend"), self.post_path("suspend", tenant.pk), tone="danger", icon="block")
        return post_button(_("Resume"), self.post_path("resume", tenant.pk), tone="good", icon="play_arrow")


@admin.register(Domain, site=platform_site)
class DomainPage(ModelAdmin):
    """The host names that lead to tenants. A tenant's first one is the platform's gift, and stays."""

    form = DomainForm
    list_display = ("name", "owner", "is_first")
    list_select_related = ("tenant",)
    search_fields = ("domain", "tenant__slug")
    ordering = ("domain",)

    # The fields are the library's, which names them in English only.

    @admin.display(description=_("address"), ordering="domain")
    def name(self, domain: Domain) -> str:
        return str(domain.domain)

    @admin.display(description=_("tenant"), ordering="tenant")
    def owner(self, domain: Domain) -> Tenant:
        owner: Tenant = domain.tenant
        return owner

    @admin.display(description=_("primary"), ordering="is_primary", boolean=True)
    def is_first(self, domain: Domain) -> bool:
        return bool(domain.is_primary)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        tenants = Tenant.objects.exclude(schema_name=TEMPLATE).order_by("slug")
        return super().formfield_for_foreignkey(db_field, request, **{**kwargs, "queryset": tenants})

    def has_change_permission(self, request: HttpRequest, obj: Domain | None = None) -> bool:
        # A name is not moved from one tenant to another in one step: whoever took it for the old one would be misled.
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Domain | None = None) -> bool:
        return (obj is None or not obj.is_primary) and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Domain, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        standing.forget()

    def delete_model(self, request: HttpRequest, obj: Domain) -> None:
        super().delete_model(request, obj)
        standing.forget()


def _address_of(tenant: Tenant) -> str:
    return hosts.url_of(hosts.name_for(tenant.slug)) + "/admin/"
