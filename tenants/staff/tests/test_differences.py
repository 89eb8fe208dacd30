from types import SimpleNamespace

import pytest

from tenants.staff.admin import AuditPage
from tenants.staff.differences import Line, lines_of
from tenants.staff.models import AuditEntry


def told(changes, action="campaign.changed"):
    return [*lines_of(action=action, changes=changes)]


def test_a_field_that_was_changed_tells_what_it_was_and_is():
    assert told({"hold_days": ["3", "7"], "name": ["", "Spring"], "budget": ["100", ""]}) == [
        Line("hold days", "3", "7"),
        Line("name", "—", "Spring"),
        Line("budget", "100", "—"),
    ]


def test_what_is_new_has_nothing_before():
    assert told({"name": ["", "Spring"]}, action="gift.added") == [Line("name", None, "Spring")]
    assert told({"rule:6 +": {"amount": ["0", "500"]}}) == [Line("rule 6 + · amount", None, "500")]


def test_rows_of_a_form_are_told_field_by_field():
    assert told({"rule:5": {"amount": ["300", "500"]}, "rule:7 -": "For a friend"}) == [
        Line("rule 5 · amount", "300", "500"),
        Line("rule 7 -", None, "For a friend"),
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"scopes": ["clicks:write", "public:read"]}, "clicks:write, public:read"),
        ({"identities": ["email", "phone"]}, "email, phone"),
        ({"rewards": [9422, 9466]}, "9422, 9466"),
        ({"cancelled": []}, "—"),
        ({"points": 0}, "0"),
        ({"signals": {}}, "—"),
        ({"until": "2026-11-23T17:25:57.891949+03:00"}, "2026-11-23 14:25 UTC"),
        ({"note": "2026-11-23T17:25"}, "2026-11-23T17:25"),
        ({"values": [{"min_days": 3}]}, "min days: 3"),
    ],
)
def test_what_is_no_change_of_a_value_is_told_as_it_is(changes, text):
    (line,) = told(changes)

    assert (line.old, line.new) == (None, text)


def test_lists_that_were_changed_are_told_from_one_to_the_other():
    assert told({"kinds": [["reward.granted"], ["reward.granted", "case.approved"]]}) == [
        Line("kinds", "reward.granted", "reward.granted, case.approved")
    ]


def test_the_audit_log_shows_lines_and_what_somebody_typed_is_no_markup():
    entry = SimpleNamespace(action="gift.changed", changes={"name": ["Mug", "<b>Cup</b>"]})

    assert AuditPage(AuditEntry, None).details(entry) == (
        '<ul class="told"><li><span class="soft">name:</span> Mug → &lt;b&gt;Cup&lt;/b&gt;</li></ul>'
    )
    assert AuditPage(AuditEntry, None).details(SimpleNamespace(action="gift.shown", changes={})) == ""
