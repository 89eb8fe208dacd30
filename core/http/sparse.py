"""Sparse answers: `?fields=id,member.external_id` leaves out whatever is not named."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from core.errors import FieldError, Invalid
from core.http.shapes import flat, type_of_names

PARAMETER: Final = "fields"
# More would not fit the line of a request.
LENGTH_MAX: Final = 2_000
PATTERN: Final = r"^[A-Za-z0-9_.:,-]+$"

# What is wanted of an object, by name; None is all that stands beneath.
type_of_wanted = dict[str, "type_of_wanted | None"]


class UnknownField(Invalid):
    """An answer has nothing of this name."""

    message = _("The answer has no field of this name.")


def read(text: str, *, known: type_of_names) -> type_of_wanted:
    """
    Return what is asked for by `a,b.c`.

    :raises UnknownField: with the list of what there is.
    """
    wanted: type_of_wanted = {}
    for path in text[:LENGTH_MAX].split(",") if re.fullmatch(PATTERN, text) else [text]:
        names = path.split(".")
        if not re.fullmatch(PATTERN, path) or not _is_known(names, known):
            names_known = [*flat(known)]
            detail = _("There is no field “%(name)s” here. There are: %(known)s.") % {
                "name": path[:100],
                "known": ", ".join(names_known),
            }
            raise UnknownField(errors=[FieldError(parameter=PARAMETER, detail=detail)], extra={"known": names_known})
        _want(wanted, names)
    return wanted


def keep(value: Any, wanted: type_of_wanted | None) -> Any:
    """Return what is wanted of an answer: of each object in it, if it is a list."""
    if wanted is None:
        return value
    if isinstance(value, list | tuple):
        return [keep(each, wanted) for each in value]
    if isinstance(value, Mapping):
        return {name: keep(value[name], beneath) for name, beneath in wanted.items() if name in value}
    return value


def _is_known(names: list[str], known: type_of_names | None) -> bool:
    for name in names:
        if known is None:
            # Below what has no fixed names of its own.
            return all(names)
        if name not in known:
            return False
        known = known[name]
    return True


def _want(wanted: type_of_wanted, names: list[str]) -> None:
    *above, last = names
    for name in above:
        beneath = wanted.setdefault(name, {})
        if beneath is None:
            # All of it is wanted already.
            return
        wanted = beneath
    wanted[last] = None
