"""Pages that end with what is shown once."""

from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import Promise

from core.backoffice import ModelAdmin, list_of

type_of_secrets = list[tuple[str | Promise, str]]


class SecretsPage(ModelAdmin):
    """A page whose adding ends with what is shown once: `save_model` puts it into `request.secrets`."""

    secrets_title: ClassVar[str | Promise]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        # After saving there is one thing to do: to write the secrets down.
        buttons = {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().add_view(request, form_url, {**(extra_context or {}), **buttons})
        return answer

    def response_add(self, request: HttpRequest, obj: Model, post_url_continue: str | None = None) -> HttpResponse:
        return self.show_once(request, request.secrets, title=self.secrets_title)  # type: ignore[attr-defined]

    def show_once(
        self, request: HttpRequest, secrets: type_of_secrets, *, title: str | Promise, note: str | Promise = ""
    ) -> HttpResponse:
        """Answer with the secrets themselves: to carry them to another page they would have to be stored somewhere."""
        page = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "secrets": secrets,
            "note": note,
            "list_url": list_of(self.model, site=self.admin_site.name),
        }
        return TemplateResponse(request, "tenants/secrets.html", page)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
