"""Why a certificate waits, in words. What is stored are codes: staff reads them in its own language."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from core.errors import type_of_text

SENTENCES: Final[Mapping[str, type_of_text]] = {
    "out_of_stock": _("There is no code in stock, and no provider."),
    "no_funds": _("Our account at the provider is empty."),
    "off": _("The provider does not sell this certificate now."),
    "limit": _("The provider's limit is reached."),
    "denied": _("The provider does not know us: check the secret."),
    "unreachable": _("The provider cannot be reached."),
    "refused": _("The provider has refused."),
    "unknown": _("The provider gives no answer: whether it was bought is not known."),
    "code_taken": _("The provider gave a code that somebody has already."),
    "not_taken_back": _("The provider did not take a cancelled certificate back."),
    "bought_twice": _("The provider sold a certificate that nobody waits for."),
}


def sentence_of(problem: str) -> str:
    """Return a problem in words; one that is no code of ours stays as it is."""
    return str(SENTENCES.get(problem, problem))
