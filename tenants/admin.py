"""The platform's pages of tenants, domains and keys, and a tenant's page of its own keys."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.backoffice import ModelAdmin, audit, link, list_of, may, platform_site, post_button, tenant_site
from core.db import transaction
from core.errors import NotFound
from tenants import context, hosts, keys, provisioning, standing
from tenants.forms import DomainForm, KeyForm, NewTenantForm, TenantForm
from tenants.models import ApiKey, Domain, Tenant
from tenants.spaces import TEMPLATE


class SecretsPage(ModelAdmin):
    """A page whose adding ends with what is shown once: `save_model` puts it into `request.secrets`."""

    secrets_title: ClassVar[str | Promise]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        # After saving there is one thing to do: to write the secrets down.
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().add_view(request, form_url, {**(extra_context or {}), **buttons})
        return answer

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        """Answer with the secrets themselves: to carry them to another page they would have to be stored somewhere."""
        page = {
            **self.admin_site.each_context(request),
            "title": self.secrets_title,
            "opts": self.opts,
            "secrets": request.secrets,  # type: ignore[attr-defined]
            "list_url": list_of(self.model, site=self.admin_site.name),
        }
        return TemplateResponse(request, "tenants/secrets.html", page)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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
        return ["name", "time_zone", "language", *self.get_readonly_fields(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        return [] if obj is None else ["slug", "address", "currency", "status", "created_at", "button"]

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            super().save_model(request, obj, form, change)
            standing.forget()
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
            self.post_url("<int:tenant_id>/suspend/", self.suspend, name="suspend"),
            self.post_url("<int:tenant_id>/resume/", self.resume, name="resume"),
            *super().get_urls(),
        ]

    def suspend(self, request: HttpRequest, tenant_id: int) -> Promise:
        tenant = _get_row(self.get_queryset(request), tenant_id)
        with transaction():
            standing.suspend(tenant=tenant)
            audit(request, action="tenant.suspended", target=f"tenant:{tenant.pk} {tenant}")
        return _("The tenant is suspended.")

    def resume(self, request: HttpRequest, tenant_id: int) -> Promise:
        tenant = _get_row(self.get_queryset(request), tenant_id)
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


class KeyPage(SecretsPage):
    """Keys, whose full text is shown when they are issued, and never again."""

    secrets_title = _("The key is issued")
    form = KeyForm
    list_display: tuple[str, ...] = ("name", "start", "state", "created_at", "last_used_at", "button")
    list_select_related = ("tenant",)
    search_fields: tuple[str, ...] = ("name", "prefix")
    ordering = ("-id",)
    # Who may issue and revoke.
    permission: ClassVar[str]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(self.permission)(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(self.permission)(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(self.permission)(request)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        if obj is None:
            return ["name", "environment", "scopes", "expires_at"]
        return ["name", "start", "environment", "scopes", "state", "created_at", "expires_at", "last_used_at", "button"]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return [] if obj is None else self.get_fields(request, obj)

    def get_urls(self) -> list[URLPattern]:
        revoke = self.post_url("<int:key_id>/revoke/", self.revoke, name="revoke", permission=self.permission)
        return [revoke, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: KeyForm, change: bool) -> None:  # noqa: FBT001
        given = form.cleaned_data
        key, full = keys.add(
            tenant=self.tenant_of(given),
            environment=given["environment"],
            name=given["name"],
            scopes=given["scopes"],
            expires_at=given["expires_at"],
            at=timezone.now(),
        )
        obj.pk = key.pk
        obj.prefix = key.prefix
        request.secrets = [(_("Key"), full)]  # type: ignore[attr-defined]

    def tenant_of(self, given: dict[str, Any]) -> Tenant:
        """Return the live tenant that a new key is for."""
        raise NotImplementedError

    def revoke(self, request: HttpRequest, key_id: int) -> Promise:
        key = _get_row(self.get_queryset(request), key_id)
        with transaction():
            keys.revoke(key=key, at=timezone.now())
            audit(request, action="apikey.revoked", target=f"apikey:{key.pk} {key}")
        return _("The key is revoked.")

    @admin.display(description=_("key"))
    def start(self, key: ApiKey) -> str:
        word = "test" if key.tenant.environment == Tenant.Environment.SANDBOX else "live"
        return f"sk_{word}_{key.prefix}_…"

    @admin.display(description=_("environment"))
    def environment(self, key: ApiKey) -> str:
        return str(key.tenant.get_environment_display())

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> Promise:
        if key.revoked_at is not None:
            return _("Revoked")
        if key.expires_at is not None and key.expires_at <= timezone.now():
            return _("Expired")
        return _("Valid")

    @admin.display(description="")
    def button(self, key: ApiKey) -> SafeString | str:
        if key.revoked_at is not None:
            return ""
        return post_button(_("Revoke"), self.post_path("revoke", key.pk), tone="danger", icon="key_off")


class PlatformKeyForm(KeyForm):
    """The platform's staff may issue a key for anybody."""

    class Meta(KeyForm.Meta):
        fields: tuple[str, ...] = ("tenant", *KeyForm.Meta.fields)


@admin.register(ApiKey, site=platform_site)
class PlatformKeyPage(KeyPage):
    """Everybody's keys."""

    form = PlatformKeyForm
    permission = "tenants.change_apikey"
    list_display = ("tenant", *KeyPage.list_display)
    search_fields = (*KeyPage.search_fields, "tenant__slug")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return ["tenant", *super().get_fields(request, obj)]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        tenants = Tenant.objects.filter(live=None).exclude(schema_name=TEMPLATE).order_by("slug")
        return super().formfield_for_foreignkey(db_field, request, **{**kwargs, "queryset": tenants})

    def tenant_of(self, given: dict[str, Any]) -> Tenant:
        tenant: Tenant = given["tenant"]
        return tenant


@admin.register(ApiKey, site=tenant_site)
class TenantKeyPage(KeyPage):
    """A tenant's own keys: at home those of its sandbox too, in the sandbox only these."""

    permission = "staff.manage_keys"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        # Keys of all tenants stand in one table: this line is what parts them.
        tenant = context.current()
        found: QuerySet[ApiKey] = super().get_queryset(request)
        return found.filter(Q(tenant=tenant) | Q(tenant__live=tenant))

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        tenant = context.current()
        if obj is None and tenant.environment == Tenant.Environment.SANDBOX:
            field: Any = form.base_fields["environment"]
            field.choices = [(tenant.environment, tenant.get_environment_display())]
            field.initial = tenant.environment
        return form

    def tenant_of(self, given: dict[str, Any]) -> Tenant:
        return context.current()


def _get_row(found: QuerySet[Any], row_id: int) -> Any:
    row = found.filter(id=row_id).first()
    if row is None:
        raise NotFound
    return row


def _address_of(tenant: Tenant) -> str:
    return hosts.url_of(hosts.name_for(tenant.slug)) + "/admin/"
