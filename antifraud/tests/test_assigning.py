"""Who looks after a case."""

import pytest

from antifraud.models import Case
from antifraud.moderation import deciding, escalation
from antifraud.moderation.deciding import AlreadyDecided
from antifraud.moderation.escalation import AlreadyTaken, NotAssignable
from tenants.staff.models import AuditEntry, Staff
from tests.cast import NOON
from tests.people import staff_of


def test_somebody_takes_a_case_and_gives_it_back(case, max_):
    taken = escalation.take(case=case, by=max_, at=NOON)
    assert taken.assigned_to == max_

    free = escalation.assign(case=case, to=None, by=max_, at=NOON)

    assert free.assigned_to is None
    assert [entry.changes for entry in AuditEntry.objects.order_by("pk")] == [{"to": "max"}, {"to": ""}]


def test_taken_twice_it_is_theirs_once(case, max_):
    escalation.take(case=case, by=max_, at=NOON)

    assert escalation.take(case=case, by=max_, at=NOON).assigned_to == max_


def test_what_somebody_has_is_not_taken_from_them_and_the_second_is_told_who(case, max_, mia):
    escalation.take(case=case, by=max_, at=NOON)

    with pytest.raises(AlreadyTaken, match="max"):
        escalation.take(case=case, by=mia, at=NOON)

    assert Case.objects.get().assigned_to == max_


def test_it_can_be_given_to_somebody_else(case, max_, mia):
    escalation.take(case=case, by=max_, at=NOON)

    assert escalation.assign(case=case, to=mia, by=max_, at=NOON).assigned_to == mia


@pytest.mark.parametrize("role", ["marketer", "analyst"])
def test_it_is_not_given_to_who_may_not_decide(case, max_, role):
    nobody = staff_of(role)

    with pytest.raises(NotAssignable):
        escalation.assign(case=case, to=nobody, by=max_, at=NOON)
    with pytest.raises(NotAssignable):
        escalation.take(case=case, by=nobody, at=NOON)

    assert Case.objects.get().assigned_to is None
    assert not AuditEntry.objects.exists()


def test_it_is_not_given_to_who_has_left(case, max_, mia):
    Staff.objects.filter(pk=mia.pk).update(is_active=False)
    mia.refresh_from_db()

    with pytest.raises(NotAssignable):
        escalation.assign(case=case, to=mia, by=max_, at=NOON)

    assert Case.objects.get().assigned_to is None


def test_a_decided_case_is_nobodys_any_more(case, max_, mia):
    deciding.approve(case=case, by=max_, at=NOON)

    with pytest.raises(AlreadyDecided, match="max has already approved"):
        escalation.take(case=case, by=mia, at=NOON)

    assert Case.objects.get().assigned_to is None


def test_whoever_may_decide_decides_be_it_somebody_elses(case, shop, max_, mia):
    escalation.take(case=case, by=max_, at=NOON)

    deciding.approve(case=case, by=mia, at=NOON)

    assert shop.balance_of("anna") == 100


def test_those_who_may_decide_are_listed(max_, mia):
    staff_of("admin", username="ada")
    staff_of("marketer")
    gone = staff_of("moderator", username="gone")
    Staff.objects.filter(pk=gone.pk).update(is_active=False)
    Staff.objects.create_superuser("root", password=None)

    # The tenant's first admin was there before.
    listed = [person.username for person in escalation.list_moderators()]
    assert listed == ["ada", "admin", "max", "mia", "root"]
