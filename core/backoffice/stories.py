"""Pages that are no forms: a row's story."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core.backoffice.pages import AppendOnlyAdmin, Named


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
