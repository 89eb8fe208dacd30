"""The field of a picture in a form: it shows the picture at the address where the tenant's own pages see it."""

from types import SimpleNamespace
from typing import Any

from unfold.widgets import UnfoldAdminImageFieldWidget

from rewards import pictures


class PictureInput(UnfoldAdminImageFieldWidget):  # type: ignore[misc]  # Unfold has no types
    """Choose a picture. The storage's own address would name the tenant's folder, which nobody may look into."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        if context["widget"]["is_initial"]:
            context["widget"]["value"] = SimpleNamespace(url=pictures.path_of(value))
        return context
