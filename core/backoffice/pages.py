"""The bases of the pages: a declaration on one of them is a page, and what is changed there is audited."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Any, cast

import unfold.admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, URLField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst

from core.backoffice.buttons import CONFIRMED, Answer, Question, press
from core.backoffice.changes import audit, changes_of, changes_of_formset
from core.backoffice.links import back, page_of
from core.backoffice.lists import ViewFilter
from core.backoffice.roles import may


class ModelAdmin(unfold.admin.ModelAdmin):  # type: ignore[misc]
    """
    Be the base of every model's page: what is changed here is in the audit log, and buttons act by POST.

    Pages that have buttons put `self.post_url(…)` before `super().get_urls()`.
    """

    list_filter_submit = False
    list_fullwidth = True
    show_full_result_count = False
    empty_value_display = "—"

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
        # One name for the list: in the menu, at its top and in the browser's tab.
        changelist.title = capfirst(self.opts.verbose_name_plural)
        # Unfold would show how many of an unknown number there are.
        changelist.full_result_count = changelist.result_count
        # What templates/admin/views.html shows above the list.
        view = next((each for each in changelist.filter_specs if isinstance(each, ViewFilter)), None)
        changelist.views = [*view.choices(changelist)] if view else []
        if view and self.has_add_permission(request) and not set(changelist.filter_params) - {view.parameter_name}:
            # Whoever looks at a view that is empty can add to it, and has nothing to reset.
            changelist.has_active_filters = False
        return changelist

    def post_url(
        self,
        route: str,
        act: Callable[..., Answer],
        *,
        name: str,
        permission: str | None = None,
        ask: Callable[..., Question] | None = None,
    ) -> URLPattern:
        """
        Return the address of a button: `act(request, **route's values)` by POST, then back to where it was pressed.

        A failure is told to whoever pressed it. `permission` is such as "antifraud.decide_case"; without one,
        whoever may change the model may press. With `ask(request, **route's values)` its question is put first.
        """
        pressed = act if ask is None else partial(self._confirmed, act, ask)
        view = wraps(act)(partial(self._pressed, pressed, permission))
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
            changes |= changes_of_formset(formset)
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
        return press(request, act, values, home=home)

    def _confirmed(
        self, act: Callable[..., Answer], ask: Callable[..., Question], request: HttpRequest, **values: Any
    ) -> Answer:
        if CONFIRMED in request.POST:
            return act(request, **values)
        question = ask(request, **values)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": question.title,
            "question": question,
            "back_url": back(request, otherwise=reverse("admin:index", current_app=self.admin_site.name)),
        }
        return TemplateResponse(request, "admin/question.html", page)


class AppendOnlyAdmin(ModelAdmin):
    """A page on which nobody, superusers included, adds, changes or deletes: what the machine wrote is only read."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class SingletonAdmin(ModelAdmin):
    """The page of a table of one row, which a migration has made: there is no list of it, and nothing to add."""

    def name_of(self, row: Any) -> str:
        return capfirst(str(self.opts.verbose_name))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(page_of(self.model._default_manager.get()))


class Named:
    """A row by another name than its own `__str__`, for the line at the top of its page."""

    def __init__(self, row: Model, name: object) -> None:
        self._meta = row._meta
        self.pk = row.pk
        self._name = name

    def __str__(self) -> str:
        return str(self._name)


def without(fieldsets: Any, hidden: Iterable[str]) -> Any:
    """Return a page's fieldsets without some of the fields."""
    left_out = set(hidden)
    return [
        (title, {**told, "fields": [name for name in told["fields"] if name not in left_out]})
        for title, told in fieldsets
    ]
