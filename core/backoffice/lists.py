"""What stands above a list: the switch between a few views of it."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

VIEWS_TEMPLATE = "admin/views.html"


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
