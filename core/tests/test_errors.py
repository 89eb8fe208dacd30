import pytest
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, Failure, Invalid, code_of, conflict_of


class CertificateUsedUp(Conflict):
    message = _("Nobody is left to give it to.")


@pytest.mark.parametrize(
    ("name", "code"),
    [("RawCardNumber", "raw_card_number"), ("NotFound", "not_found"), ("PSPRefused", "psp_refused"), ("Gone", "gone")],
)
def test_a_code_is_the_name_in_snake_case(name, code):
    assert code_of(name) == code


def test_a_failure_says_its_own_sentence_unless_given_another():
    assert (CertificateUsedUp().code, str(CertificateUsedUp())) == (
        "certificate_used_up",
        "Nobody is left to give it to.",
    )
    assert str(CertificateUsedUp("Three are reserved.")) == "Three are reserved."


def test_a_pointer_stands_for_an_error_with_the_same_sentence():
    failure = Invalid("Too short.", pointer="/name", errors=[{"pointer": "/age", "detail": "Too low."}])

    assert failure.errors == [{"pointer": "/name", "detail": "Too short."}, {"pointer": "/age", "detail": "Too low."}]


def test_every_failure_has_a_sentence():
    families: list[type[Failure]] = [Failure, *Failure.__subclasses__()]

    assert all(str(family()) for family in families)


def test_a_conflict_without_a_database_behind_it_names_no_constraint():
    assert conflict_of(IntegrityError("duplicate")) == ""
