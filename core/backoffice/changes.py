"""What somebody changes in a back office: told from what to what, and written into the audit log."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.forms import BaseForm, PasswordInput
from django.http import HttpRequest
from django.utils.module_loading import import_string


def audit(request: HttpRequest, *, action: str, target: str, changes: Mapping[str, Any] | None = None) -> None:
    """
    Write what this request's user did into the audit log.

    The log is a higher floor's, and so is the clock: `settings.AUDIT_RECORDER` and `settings.CLOCK` name their verbs.
    """
    record = import_string(settings.AUDIT_RECORDER)
    record(
        actor_kind="staff",
        actor=request.user.get_username(),
        action=action,
        target=target,
        changes=dict(changes or {}),
        at=import_string(settings.CLOCK)(),
    )


def changes_of(form: BaseForm) -> dict[str, list[str]]:
    """Return what a form changed: `{field: [old, new]}`. What was typed into a password field is never told."""
    return {name: _old_and_new(form, name) for name in form.changed_data}


def changes_of_formset(formset: Any) -> dict[str, Any]:
    """Return what the rows of a formset changed, by row; a row that came ends in "+", one that went in "-"."""
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


def _old_and_new(form: BaseForm, name: str) -> list[str]:
    if isinstance(form.fields[name].widget, PasswordInput):
        return ["•••", "•••"]
    old = form.get_initial_for_field(form.fields[name], name)
    new = form.cleaned_data.get(name)
    return ["" if each is None else str(each) for each in (old, new)]
