"""
The back office's bases: the two sites, model pages whose changes are audited, and buttons that act by one POST.

A page is a declaration on `ModelAdmin` (or `AppendOnlyAdmin`); what a button does is one verb of the domain.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

import unfold.admin
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, URLField
from django.forms import BaseForm, PasswordInput
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from core.errors import Failure

# What a button's verb gives back: a sentence for whoever pressed it, a page, or nothing to say.
Answer: TypeAlias = "str | Promise | HttpResponse | None"

# The form without fields that templates/admin/base_site.html puts on every page. A button inside another form could
# be pressed by the Enter key in one of that form's fields.
POST_FORM = "post"

# What static/backoffice/backoffice.css has colours for.
Tone: TypeAlias = Literal["primary", "good", "danger", "plain"]


# Sites


class TenantAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # Unfold has no types
    """A tenant's back office, at /admin/ of the tenant's own host."""

    index_title = _("Dashboard")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Deleting many at once would pass by the audit log's old values, and by PROTECT's explanation.
        self.disable_action("delete_selected")


class PlatformAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """The platform's own back office, at /admin/ of the platform's host. Its tables are the public schema's."""

    settings_name = "UNFOLD_PLATFORM"

    def __init__(self, name: str = "platform") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Go to the first list of the menu: of the platform as a whole there is nothing else to tell."""
        lines = [line for group in self.get_sidebar_list(request) for line in group["items"]]
        if not lines:
            raise PermissionDenied
        return HttpResponseRedirect(lines[0]["link"])


# `config.apps.BackofficeConfig` makes Django's default site a TenantAdminSite.
tenant_site = cast("TenantAdminSite", admin.site)
platform_site = PlatformAdminSite()


# The audit log


def audit(request: HttpRequest, *, action: str, target: str, changes: Mapping[str, Any] | None = None) -> None:
    """
    Write what this request's user did into the audit log.

    The log is a higher floor's: `settings.AUDIT_RECORDER` names its verb.
    """
    record = import_string(settings.AUDIT_RECORDER)
    record(
        actor_kind="staff",
        actor=request.user.get_username(),
        action=action,
        target=target,
        changes=dict(changes or {}),
        at=timezone.now(),  # noqa: TID251 (the admin is an edge)
    )


def changes_of(form: BaseForm) -> dict[str, list[str]]:
    """Return what a form changed: `{field: [old, new]}`. What was typed into a password field is never told."""
    return {name: _old_and_new(form, name) for name in form.changed_data}


def _old_and_new(form: BaseForm, name: str) -> list[str]:
    if isinstance(form.fields[name].widget, PasswordInput):
        return ["•••", "•••"]
    old = form.get_initial_for_field(form.fields[name], name)
    new = form.cleaned_data.get(name)
    return ["" if each is None else str(each) for each in (old, new)]


# Pages


class ModelAdmin(unfold.admin.ModelAdmin):  # type: ignore[misc]
    """
    Be the base of every model's page: what is changed here is in the audit log, and buttons act by POST.

    Pages that have buttons put `self.post_url(…)` before `super().get_urls()`.
    """

    list_filter_submit = False
    list_fullwidth = True
    show_full_result_count = False

    def name_of(self, row: Any) -> str:
        """Return what the row is called at the top of its page: its own `__str__` may be a key for programs."""
        return str(row)

    def dress(self, rows: Sequence[Any]) -> None:
        """Add to the rows of a list's page what its columns show: once a page, so that no column asks for each row."""

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            name = self.name_of(obj)
            context |= {"original": Named(obj, name), "subtitle": name}
        found: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return found

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            kwargs.setdefault("assume_scheme", "https")  # What Django 6 does of itself.
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        self.dress(list(changelist.result_list))
        # Unfold would show how many of an unknown number there are.
        changelist.full_result_count = changelist.result_count
        # What templates/admin/views.html shows above the list.
        view = next((each for each in changelist.filter_specs if isinstance(each, ViewFilter)), None)
        changelist.views = [*view.choices(changelist)] if view else []
        return changelist

    def post_url(
        self, route: str, act: Callable[..., Answer], *, name: str, permission: str | None = None
    ) -> URLPattern:
        """
        Return the address of a button: `act(request, **route's values)` by POST, then back to where it was pressed.

        A failure is told to whoever pressed it. `permission` is such as "antifraud.decide_case"; without one,
        whoever may change the model may press.
        """
        view = wraps(act)(partial(self._pressed, act, permission))
        found: URLPattern = path(route, self.admin_site.admin_view(view), name=self._url_name(name))
        return found

    def post_path(self, name: str, *args: object) -> str:
        """Return the path of a button made by `post_url`."""
        return reverse(f"admin:{self._url_name(name)}", args=args, current_app=self.admin_site.name)

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
    ) -> list[dict[str, Any]]:
        """Keep what the forms changed for the audit entry that follows in the same request."""
        changes: dict[str, Any] = changes_of(form)
        for formset in formsets or ():
            changes |= _changes_of_formset(formset)
        request.audit_changes = changes  # type: ignore[attr-defined]
        return cast("list[dict[str, Any]]", super().construct_change_message(request, form, formsets, add))

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._audit(request, obj, "added")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        self._audit(request, obj, "changed")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        for obj in queryset:
            self._audit(request, obj, "deleted")
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, obj: Model, what: str) -> None:
        model_name = self.opts.model_name
        changes = getattr(request, "audit_changes", None) or {}
        audit(request, action=f"{model_name}.{what}", target=f"{model_name}:{obj.pk} {obj}"[:200], changes=changes)

    def _url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def _pressed(
        self, act: Callable[..., Answer], permission: str | None, request: HttpRequest, **values: Any
    ) -> HttpResponse:
        home = reverse(f"admin:{self._url_name('changelist')}", current_app=self.admin_site.name)
        if request.method != "POST":
            # A bookmark, or the way back from the log-in page: nothing is done by looking.
            return HttpResponseRedirect(home)
        allowed = self.has_change_permission(request) if permission is None else may(permission)(request)
        if not allowed:
            raise PermissionDenied
        try:
            answer = act(request, **values)
        except Failure as failure:
            messages.error(request, str(failure))
            answer = None
        if isinstance(answer, HttpResponse):
            return answer
        if answer:
            messages.success(request, str(answer) if isinstance(answer, Promise) else answer)
        return HttpResponseRedirect(back(request, otherwise=home))


class AppendOnlyAdmin(ModelAdmin):
    """A page on which nobody, superusers included, adds, changes or deletes: what the machine wrote is only read."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class StoryAdmin(AppendOnlyAdmin):
    """A page of a row that is no form: `story_template` tells of it with what `story` gives."""

    story_template: str

    def story(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Return what the template shows."""
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        name = self.name_of(row)
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
        return TemplateResponse(
            request,
            self.story_template,
            {**frame, "title": name, "original": Named(row, name), **self.story(request, row)},
        )


class SingletonAdmin(ModelAdmin):
    """The page of a table of one row, which a migration has made: there is no list of it, and nothing to add."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(page_of(self.model._default_manager.get()))


class ViewFilter(admin.SimpleListFilter):
    """A few views of one list, of which the first is shown at once; `list_before_template` shows them above it."""

    title = _("view")
    parameter_name = "show"
    # Not among the filters once more.
    template = "admin/nothing.html"

    def value(self) -> str:
        given = super().value()
        known = [value for value, _label in self.lookup_choices]
        return str(given if given in known else known[0])

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            yield {
                "selected": self.value() == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}, ["p"]),
                "display": label,
            }


def without(fieldsets: Any, hidden: Iterable[str]) -> Any:
    """Return a page's fieldsets without some of the fields."""
    left_out = set(hidden)
    return [
        (title, {**told, "fields": [name for name in told["fields"] if name not in left_out]})
        for title, told in fieldsets
    ]


VIEWS_TEMPLATE = "admin/views.html"


class Named:
    """A row by another name than its own `__str__`, for the line at the top of its page."""

    def __init__(self, row: Model, name: object) -> None:
        self._meta = row._meta
        self.pk = row.pk
        self._name = name

    def __str__(self) -> str:
        return str(self._name)


def _changes_of_formset(formset: Any) -> dict[str, Any]:
    name = formset.model._meta.model_name
    changes: dict[str, Any] = {}
    for obj, _fields in getattr(formset, "changed_objects", ()):
        form = next(each for each in formset.initial_forms if each.instance.pk == obj.pk)
        changes[f"{name}:{obj.pk}"] = changes_of(form)
    for form in formset.extra_forms:
        if form.has_changed() and form.instance.pk and not form.cleaned_data.get("DELETE"):
            changes[f"{name}:{form.instance.pk} +"] = changes_of(form)
    for obj in getattr(formset, "deleted_objects", ()):
        changes[f"{name}:{obj.pk or ''} -"] = str(obj)
    return changes


# Buttons and links


def post_button(
    label: str | Promise,
    url: str,
    *,
    tone: Tone = "plain",
    icon: str = "",
    title: str | Promise = "",
) -> SafeString:
    """
    Return a button that sends a POST to `url` with one click, from any place of an admin page.

    `icon` is a name of the Material Symbols; `title` says more than the label, for the mouse and
    for screen readers.
    """
    return format_html(
        '<button type="submit" form="{}" formaction="{}" formmethod="post" formnovalidate class="{}"{}>{}{}</button>',
        POST_FORM,
        url,
        f"act act-{tone}",
        format_html(' title="{}" aria-label="{}"', title, title) if title else "",
        format_html('<span class="material-symbols-outlined md-18" aria-hidden="true">{}</span>', icon) if icon else "",
        label,
    )


def page_of(obj: Model, *, site: str = "admin") -> str:
    """Return the path of a row's own page."""
    opts = obj._meta
    return reverse(f"{site}:{opts.app_label}_{opts.model_name}_change", args=[obj.pk])


def path_to(label: str, pk: object) -> str:
    """Return the path of a row's own page, without the row: `path_to("members.member", 7)`."""
    return reverse(f"admin:{label.replace('.', '_')}_change", args=[pk])


def list_of(model: type[Model], *, site: str = "admin") -> str:
    """Return the path of a model's list."""
    opts = model._meta
    return reverse(f"{site}:{opts.app_label}_{opts.model_name}_changelist")


def link(text: object, url: str) -> SafeString:
    """Return a link as the back office shows them."""
    return format_html('<a class="text-primary-600 hover:underline dark:text-primary-500" href="{}">{}</a>', url, text)


def back(request: HttpRequest, *, otherwise: str) -> str:
    """Return where the request came from, filters and page included, if that was one of our own pages."""
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        return otherwise
    parts = urlsplit(came_from)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


# Roles


def may(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Return a test of a request's user: an active one who has any of `permissions` ("app.action_model")."""

    def holds(request: HttpRequest) -> bool:
        return request.user.is_active and any(request.user.has_perm(permission) for permission in permissions)

    return holds
