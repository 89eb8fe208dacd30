"""
The back office's bases: the two sites, model pages whose changes are audited, and buttons that act by one POST.

A page is a declaration on `ModelAdmin` (or `AppendOnlyAdmin`); what a button does is one verb of the domain.
"""

from core.backoffice.buttons import Answer, Question, Tone, post_button
from core.backoffice.changes import audit, changes_of
from core.backoffice.links import BACK_OFFICE, link, list_of, page_of, path_to
from core.backoffice.lists import VIEWS_TEMPLATE, ViewFilter
from core.backoffice.pages import AppendOnlyAdmin, ModelAdmin, SingletonAdmin, without
from core.backoffice.roles import may
from core.backoffice.sites import TenantAdminSite, platform_site, tenant_site
from core.backoffice.stories import StoryAdmin

__all__ = [
    "BACK_OFFICE",
    "VIEWS_TEMPLATE",
    "Answer",
    "AppendOnlyAdmin",
    "ModelAdmin",
    "Question",
    "SingletonAdmin",
    "StoryAdmin",
    "TenantAdminSite",
    "Tone",
    "ViewFilter",
    "audit",
    "changes_of",
    "link",
    "list_of",
    "may",
    "page_of",
    "path_to",
    "platform_site",
    "post_button",
    "tenant_site",
    "without",
]
