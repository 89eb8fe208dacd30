"""A key in words and marks: what it begins with, whether it is in force, when it was used."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import codes
from core.backoffice import link, page_of
from core.errors import type_of_text
from tenants import hosts, keys
from tenants.models import ApiKey


def start_of(key: ApiKey) -> str:
    """Return what the key begins with."""
    return codes.key_start(environment=key.tenant.environment, kind=key.kind, prefix=key.prefix)


def tag_of(key: ApiKey, full: str) -> str:
    """Return what to paste into the pages that a publishable key is for; `full` is shown once, and so is this."""
    # integrations.widget answers there.
    address = f"{hosts.url_of(hosts.name_for(key.tenant.slug))}/widget.js"
    return f'<script async src="{address}" data-sarafan-key="{full}"></script>'


def successor_of(key: ApiKey) -> ApiKey | None:
    """Return the key that was issued in place of this one. A list brings it along."""
    return getattr(key, "replaced_by", None)


def state_of(key: ApiKey, *, at: datetime) -> SafeString:
    """Return whether the key is in force, and whether somebody still uses it who should not."""
    tone, words = _state_of(key, at)
    mark = format_html('<span class="mark mark-{}">{}</span>', tone, words)
    if key.refused_at is None:
        return mark
    # Of a key that was replaced it is an alarm; of another, somebody's old program.
    tone, words = ("bad", _("Still used")) if successor_of(key) else ("warn", _("Still tried"))
    return format_html('<span class="acts">{}<span class="mark mark-{}">{}</span></span>', mark, tone, words)


def use_of(at: datetime | None, address: str | None) -> SafeString | str:
    """Return when and from where a key came, or a dash."""
    if at is None:
        return "—"
    return format_html(
        '<span class="nowrap">{}</span><br><span class="soft wrap-anywhere">{}</span>', _moment(at), address or ""
    )


def scopes_of(key: ApiKey) -> SafeString:
    """Return what the key may do, a line each."""
    labels = dict(ApiKey.Scope.choices)
    return format_html(
        '<ul class="lines">{}</ul>',
        format_html_join(
            "",
            '<li>{} <code class="soft">{}</code></li>',
            ((labels.get(scope, ""), scope) for scope in key.scopes),
        ),
    )


def succession_of(key: ApiKey, *, site: str) -> SafeString | str:
    """Return which key this one was made from, and which was made from it."""
    told = [
        format_html("<li>{} {}</li>", words, link(other, page_of(other, site=site)))
        for words, other in ((_("It replaces"), key.replaces), (_("It is replaced by"), successor_of(key)))
        if other is not None
    ]
    lines = format_html_join("", "{}", ((each,) for each in told))
    return format_html('<ul class="lines">{}</ul>', lines) if told else "—"


def _state_of(key: ApiKey, at: datetime) -> tuple[str, type_of_text]:
    if key.revoked_at is not None:
        return "plain", _("Revoked")
    if not keys.is_in_force(key, at=at):
        return "plain", _("Replaced") if successor_of(key) else _("Expired")
    if key.expires_at is None:
        return "good", _("Valid")
    words = gettext("Replaced, valid until %(end)s") if successor_of(key) else gettext("Valid until %(end)s")
    return "warn" if successor_of(key) else "good", words % {"end": _moment(key.expires_at)}


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
