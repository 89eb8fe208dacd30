"""Keys in both back offices: the platform's of everybody, a tenant's of its own."""

import copy
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.backoffice import Answer, Question, audit, list_of, may, platform_site, post_button, tenant_site
from core.db import transaction
from tenants import context, keys
from tenants.admin import key_marks
from tenants.admin.key_views import EnvironmentFilter, KeyView
from tenants.admin.rows import get_row
from tenants.admin.secrets import SecretsPage, type_of_secrets
from tenants.key_forms import KeyForm, KeyLimitsForm, OverlapForm, PlatformKeyForm, PlatformKeyLimitsForm
from tenants.models import ApiKey, Tenant
from tenants.spaces import TEMPLATE

# A field of the one kind is hidden while the form is about the other. A page of a key has no such choice.
IF_FOR_SERVERS = "typeof kind === 'undefined' || kind == 'secret'"
IF_FOR_PAGES = "typeof kind === 'undefined' || kind == 'publishable'"


class KeyPage(SecretsPage):
    """Keys, whose full text is shown when they are issued, and never again."""

    secrets_title = _("The key is issued")
    list_display: tuple[str, ...] = ("named", "kind", "state", "last_use", "issued", "button")
    list_display_links = ("named",)
    list_filter = (KeyView, "kind", EnvironmentFilter)
    list_select_related = ("tenant", "replaced_by")
    list_before_template = "tenants/keys_head.html"
    search_fields: tuple[str, ...] = ("name", "prefix")
    search_help_text = _("Name, or the eight characters after sk_live_")
    ordering = ("-id",)
    conditional_fields = {
        "scopes": IF_FOR_SERVERS,
        "allowed_networks": IF_FOR_SERVERS,
        "public_scopes": IF_FOR_PAGES,
        "allowed_origins": IF_FOR_PAGES,
    }
    add_form: ClassVar[type[KeyForm]] = KeyForm
    limits_form: ClassVar[type[KeyLimitsForm]] = KeyLimitsForm
    # Who may issue, rotate and revoke.
    permission: ClassVar[str]

    # Who may do what

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(self.permission)(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(self.permission)(request)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        # What has ended is only looked at.
        return may(self.permission)(request) and (obj is None or keys.is_in_force(obj, at=timezone.now()))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(self.permission)(request)

    # The form, and the page of a key

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        buttons = {"show_save_and_add_another": False}
        answer: HttpResponse = super().change_view(request, object_id, form_url, {**(extra_context or {}), **buttons})
        return answer

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, **kwargs: Any) -> Any:
        form = self.add_form if obj is None else self.limits_form
        return super().get_form(request, obj, **{**kwargs, "form": form})

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            first = (None, {"fields": ["name", "environment", "kind"]})
            may_do = ["scopes", "public_scopes", "allowed_origins", "allowed_networks"]
            return [
                first,
                (_("What it may do, and from where"), {"fields": may_do}),
                (_("How much, and for how long"), {"fields": ["requests_a_second_max", "expires_at"]}),
            ]
        where = "allowed_origins" if obj.kind == ApiKey.Kind.PUBLISHABLE else "allowed_networks"
        return [
            (None, {"fields": ["start", "kind", "environment", "state", *(["button"] if self.button(obj) else [])]}),
            (_("What it may do, and from where"), {"fields": ["may_do", where, "requests_a_second_max"]}),
            (_("Its life"), {"fields": ["created_at", "expires_at", "last_use", "succession", "refused"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        if obj is None:
            return []
        editable = self.limits_form.Meta.fields if self.has_change_permission(request, obj) else ()
        shown = [name for _title, told in self.get_fieldsets(request, obj) for name in told["fields"]]
        return [name for name in shown if name not in editable]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        if change:
            keys.confine(key=obj, **form.limits())
            return
        given = form.cleaned_data
        key, full = keys.add(tenant=self.tenant_of(given), **form.wish(), at=timezone.now())
        obj.pk = key.pk
        obj.prefix = key.prefix
        request.secrets = _shown_once(key, full, label=_("Key"))  # type: ignore[attr-defined]

    def tenant_of(self, given: dict[str, Any]) -> Tenant:
        """Return the live tenant that a new key is for."""
        raise NotImplementedError

    # Buttons

    def get_urls(self) -> list[URLPattern]:
        return [
            self.post_url(
                "<int:key_id>/revoke/", self.revoke, name="revoke", permission=self.permission, ask=self.ask_revoke
            ),
            self.post_url("<int:key_id>/rotate/", self.rotate, name="rotate", permission=self.permission),
            *super().get_urls(),
        ]

    def ask_revoke(self, request: HttpRequest, key_id: int) -> Question:
        key = get_row(self.get_queryset(request), key_id)
        return Question(
            gettext("Revoke the key “%(name)s”?") % {"name": key.name},
            gettext(
                "Whatever program uses %(start)s… is refused at once, and a revoked key does not come back. Replace it "
                "instead, and the old one stays valid while you give the new one to your programs."
            )
            % {"start": key_marks.start_of(key)},
            _("Revoke"),
        )

    def revoke(self, request: HttpRequest, key_id: int) -> Promise:
        key = get_row(self.get_queryset(request), key_id)
        with transaction():
            keys.revoke(key=key, at=timezone.now())
            audit(request, action="apikey.revoked", target=f"apikey:{key.pk} {key}")
        return _("The key is revoked.")

    def rotate(self, request: HttpRequest, key_id: int) -> Answer:
        key = get_row(self.get_queryset(request).select_related("tenant"), key_id)
        form = OverlapForm(request.POST if "hours" in request.POST else None)
        if not form.is_valid():
            return self._asked_how_long(request, key, form)
        hours = form.cleaned_data["hours"]
        with transaction():
            made, full = keys.rotate(key=key, overlap=timedelta(hours=hours), at=timezone.now())
            changes = {"replaced_by": str(made), "overlap_hours": hours}
            audit(request, action="apikey.rotated", target=f"apikey:{key.pk} {key}", changes=changes)
        note = ngettext(
            "The old key is valid for %(hours)d hour more. Its page says whether it is still used.",
            "The old key is valid for %(hours)d hours more. Its page says whether it is still used.",
            hours,
        )
        note = note % {"hours": hours} if hours else gettext("The old key opens nothing any more.")
        secrets = _shown_once(made, full, label=_("New key"))
        return self.show_once(request, secrets, title=_("The key is replaced"), note=note)

    def _asked_how_long(self, request: HttpRequest, key: ApiKey, form: OverlapForm) -> HttpResponse:
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Replace the key “%(name)s”") % {"name": key.name},
            "key": key,
            "start": key_marks.start_of(key),
            "last_use": key_marks.use_of(key.last_used_at, key.last_used_from),
            "form": form,
            "act_url": self.post_path("rotate", key.pk),
            "list_url": list_of(self.model, site=self.admin_site.name),
        }
        return TemplateResponse(request, "tenants/rotate_key.html", page)

    # What is shown

    @admin.display(description=_("key"), ordering="name")
    def named(self, key: ApiKey) -> SafeString:
        return format_html(
            '<span><span class="strong">{}</span><br><code class="soft nowrap">{}…</code></span>',
            key.name,
            key_marks.start_of(key),
        )

    @admin.display(description=_("begins with"))
    def start(self, key: ApiKey) -> SafeString:
        return format_html('<code class="nowrap">{}…</code>', key_marks.start_of(key))

    @admin.display(description=_("created at"), ordering="created_at")
    def issued(self, key: ApiKey) -> str:
        return date_format(timezone.localtime(key.created_at), "SHORT_DATE_FORMAT")

    @admin.display(description=_("environment"))
    def environment(self, key: ApiKey) -> str:
        return str(key.tenant.get_environment_display())

    @admin.display(description=_("scopes"))
    def may_do(self, key: ApiKey) -> SafeString:
        return key_marks.scopes_of(key)

    @admin.display(description=_("state"))
    def state(self, key: ApiKey) -> SafeString:
        return key_marks.state_of(key, at=timezone.now())

    @admin.display(description=_("last used"), ordering="last_used_at")
    def last_use(self, key: ApiKey) -> SafeString | str:
        return key_marks.use_of(key.last_used_at, key.last_used_from)

    @admin.display(description=_("tried after its end"))
    def refused(self, key: ApiKey) -> SafeString | str:
        return key_marks.use_of(key.refused_at, key.refused_from)

    @admin.display(description=_("succession"))
    def succession(self, key: ApiKey) -> SafeString | str:
        return key_marks.succession_of(key, site=self.admin_site.name)

    @admin.display(description="")
    def button(self, key: ApiKey) -> SafeString | str:
        if not keys.is_in_force(key, at=timezone.now()):
            return ""
        revoke = post_button(_("Revoke"), self.post_path("revoke", key.pk), tone="danger", icon="key_off")
        if key_marks.successor_of(key) is not None:
            return format_html('<span class="acts">{}</span>', revoke)
        replace = post_button(_("Replace"), self.post_path("rotate", key.pk), icon="autorenew")
        return format_html('<span class="acts">{}{}</span>', replace, revoke)


@admin.register(ApiKey, site=platform_site)
class PlatformKeyPage(KeyPage):
    """Everybody's keys."""

    add_form = PlatformKeyForm
    limits_form = PlatformKeyLimitsForm
    permission = "tenants.change_apikey"
    list_display = ("tenant", *(name for name in KeyPage.list_display if name != "issued"))
    search_fields = (*KeyPage.search_fields, "tenant__slug")
    search_help_text = _("Name, the eight characters after sk_live_, or a tenant's slug")

    def get_fieldsets(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        (title, told), *others = super().get_fieldsets(request, obj)
        return [(title, {**told, "fields": ["tenant", *told["fields"]]}), *others]

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
        return keys.list_of(tenant=context.current())

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        tenant = context.current()
        if obj is None and tenant.environment == Tenant.Environment.SANDBOX:
            # A copy: the form's class shares its fields with every other tenant's form.
            field = form.base_fields["environment"] = copy.deepcopy(form.base_fields["environment"])
            field.choices = [(tenant.environment, tenant.get_environment_display())]
            field.initial = tenant.environment
        return form

    def tenant_of(self, given: dict[str, Any]) -> Tenant:
        return context.current()


def _shown_once(key: ApiKey, full: str, *, label: Promise) -> type_of_secrets:
    shown: type_of_secrets = [(label, full)]
    if key.kind == ApiKey.Kind.PUBLISHABLE:
        shown.append((_("To paste into each page of the site"), key_marks.tag_of(key, full)))
    return shown
