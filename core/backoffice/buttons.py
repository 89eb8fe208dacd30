"""Buttons: one click, one POST, one verb, and back to where it was pressed."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.backoffice.links import back
from core.errors import Failure

# What a button's verb gives back: a sentence for whoever pressed it, a page, or nothing to say.
Answer: TypeAlias = "str | Promise | HttpResponse | None"

# The field with which whoever presses a button says that it is meant.
CONFIRMED = "confirmed"

# The form without fields that templates/admin/base_site.html puts on every page. A button inside another form could
# be pressed by the Enter key in one of that form's fields.
POST_FORM = "post"

# What static/backoffice/backoffice.css has colours for.
Tone: TypeAlias = Literal["primary", "good", "danger", "plain"]


class Question(NamedTuple):
    """What is asked before a button does what is hard to undo: its title, what will come of it, and the button."""

    title: str
    text: str
    button: str | Promise


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


def press(request: HttpRequest, act: Callable[..., Answer], values: Mapping[str, Any], *, home: str) -> HttpResponse:
    """
    Do what a button does: `act(request, **values)`, and tell what came of it where the button was pressed.

    A failure is told to whoever pressed it. `home` is where to go when nobody knows where that was.
    """
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
