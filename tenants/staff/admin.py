"""The pages of the people who work here, and of what they did: at the platform's site and at every tenant's."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm

from core.backoffice import AppendOnlyAdmin, ModelAdmin, audit, changes_of, platform_site, tenant_site
from tenants import roles
from tenants.staff import differences, programs
from tenants.staff.forms import NewStaffForm, NewTenantStaffForm, OwnForm, StaffForm, TenantStaffForm
from tenants.staff.models import AuditEntry, Staff

NOT_TOLD = SafeString("")


class StaffPage(UserAdmin, ModelAdmin):  # type: ignore[type-arg, misc]  # not generic at run time
    """People are made inactive and not deleted: what they did keeps their name."""

    form = StaffForm
    add_form = NewStaffForm
    change_password_form = AdminPasswordChangeForm
    # Django's own speaks of users.
    add_form_template = "admin/change_form.html"
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("username",)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    add_fields: tuple[str, ...] = ("username", "email", "password1", "password2")
    # What nobody changes of oneself: an admin who did would be locked out.
    own_fields: tuple[str, ...] = ("is_active",)

    def get_fieldsets(self, request: HttpRequest, obj: Staff | None = None) -> Any:
        if obj is None:
            return [(None, {"classes": ("wide",), "fields": self.add_fields})]
        standing = [] if obj == request.user else [(_("Access"), {"fields": self.own_fields})]
        return [
            (None, {"fields": ("username", "password")}),
            *standing,
            (_("Person"), {"fields": ("first_name", "last_name", "email", "language", "time_zone")}),
            (_("Dates"), {"fields": self.readonly_fields}),
        ]

    def get_urls(self) -> list[URLPattern]:
        own = path("me/", self.admin_site.admin_view(self.own_view), name="staff_own")
        return [own, *super().get_urls()]

    def own_view(self, request: HttpRequest) -> HttpResponse:
        """Let whoever is logged in choose a language and a time zone: that takes no permission."""
        form = OwnForm(request.POST or None, instance=request.user)
        if request.method == "POST" and form.is_valid():
            form.save()
            audit(request, action="staff.settings_changed", target=f"staff:{request.user}", changes=changes_of(form))
            messages.success(request, _("Your settings are saved."))
            return HttpResponseRedirect(request.path)
        context = {**self.admin_site.each_context(request), "title": _("My settings"), "form": form}
        return TemplateResponse(request, "tenants/own.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: Staff | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Staff, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.is_staff = True
        super().save_model(request, obj, form, change)


# Roles are groups, and what they may do is written in tenants.roles.
tenant_site.unregister(Group)


@admin.register(Staff, site=platform_site)
class PlatformStaffPage(StaffPage):
    """The platform's staff, all of whom may do everything."""

    list_display = ("username", "email", "first_name", "last_name", "is_active", "last_login")
    list_filter = ("is_active",)

    def save_model(self, request: HttpRequest, obj: Staff, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.is_superuser = True
        super().save_model(request, obj, form, change)


@admin.register(Staff, site=tenant_site)
class TenantStaffPage(StaffPage):
    """A tenant's staff, each with one role."""

    form = TenantStaffForm
    add_form = NewTenantStaffForm
    list_display = ("username", "role", "email", "first_name", "last_name", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    add_fields = ("username", "email", "role", "password1", "password2")
    own_fields = ("role", "is_active")

    def get_form(
        self,
        request: HttpRequest,
        obj: Staff | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
        **kwargs: Any,
    ) -> Any:
        # A field that a form declares is asked for even where no fieldset shows it.
        own = {"form": StaffForm} if obj is not None and obj == request.user else {}
        return super().get_form(request, obj, change=change, **{**kwargs, **own})

    def get_queryset(self, request: HttpRequest) -> Any:
        return programs.only_people(super().get_queryset(request)).prefetch_related("groups")

    @admin.display(description=_("role"))
    def role(self, staff: Staff) -> Any:
        return roles.LABELS.get(roles.find(staff=staff) or "", "")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        if "role" in form.cleaned_data:
            roles.assign(staff=form.instance, role=form.cleaned_data["role"])


@admin.register(AuditEntry, site=platform_site)
@admin.register(AuditEntry, site=tenant_site)
class AuditPage(AppendOnlyAdmin):
    """Who changed what, and when."""

    list_display = ("at", "actor", "action", "target", "details")
    list_filter = ("actor_kind",)
    search_fields = ("actor", "action", "target")
    ordering = ("-id",)
    fields = ("at", "actor_kind", "actor", "action", "target", "details", "previous_hash", "hash")

    @admin.display(description=_("changes"))
    def details(self, entry: AuditEntry) -> SafeString:
        rows = (
            (line.name, NOT_TOLD if line.old is None else format_html("{} → ", line.old), line.new)
            for line in differences.lines_of(action=entry.action, changes=entry.changes)
        )
        lines = format_html_join("", '<li><span class="soft">{}:</span> {}{}</li>', rows)
        return format_html('<ul class="told">{}</ul>', lines) if lines else SafeString("")
