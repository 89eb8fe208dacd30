"""What else is known before a case is decided."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from antifraud.models import Case, FraudPolicy, Signal
from antifraud.moderation import deciding, dossiers, timelines, webs
from antifraud.moderation.nodes import Person
from antifraud.moderation.queue import rewards_of
from rewards.models import Reward
from tests.cast import NOON, make_campaign
from tests.people import flag


def basis_of(case: Case) -> dossiers.Basis:
    return dossiers.basis_of(rewards=rewards_of([case])[case.pk])


def test_what_both_sides_show_is_told_once_with_the_weight_it_had(case):
    (sight,) = basis_of(case).sights

    assert (sight.title, sight.weight, sight.is_shadow) == ("Same card", 100, False)
    assert sight.sentence == "Inviter and friend paid with the same card."
    assert Signal.objects.count() == 2


def test_the_weight_is_that_of_the_hour_not_of_today(case):
    FraudPolicy.objects.update(signals={"self_referral_card": {"weight": 70}}, flag_from=60)

    basis = basis_of(case)

    assert basis.sights[0].weight == 100
    assert basis.verdicts == ("weight 100, from 50 on",)


def test_what_was_only_recorded_comes_last_and_says_so(shop, campaign):
    FraudPolicy.objects.update(signals={"self_referral_device": {"mode": "shadow", "weight": 900}})
    shop.joins({"external_id": "anna", "card": "token-1", "device": "one-tablet"})
    shop.joins({"external_id": "boris", "card": "token-1", "device": "one-tablet"}, invited_by="anna")
    shop.pays("boris", "500")

    sights = basis_of(Case.objects.get()).sights

    assert [(each.title, each.is_shadow) for each in sights] == [("Same card", False), ("Same device", True)]


def test_a_stop_rule_is_told_without_a_weight(case):
    reasons = [{"signal": "stopped", "evidence": {"trip": 1}}]
    Reward.objects.filter(pk__in=case.case_rewards.values("reward")).update(reasons=reasons)

    stopped = basis_of(case).sights[1]

    assert (stopped.signal, stopped.weight) == ("stopped", None)


def test_the_members_whom_evidence_names_are_named_and_too_many_are_counted(case, shop):
    names = [f"m{number}" for number in range(9)]
    for name in names:
        shop.joins(name)
    evidence = {"members": [shop.id_of(name) for name in names], "count": 9}
    reward = Reward.objects.earliest("pk")
    told = {"event": reward.event, "rule": reward.rule, "member": reward.member, "verdict": "flag", "at": NOON}
    Signal.objects.create(name="ring", weight=60, evidence=evidence, **told)

    ring = next(each for each in basis_of(case).sights if each.signal == "ring")

    assert [name for _id, name in ring.named] == names[:6]
    assert ring.unnamed == 3


def test_the_record_counts_cases_and_tells_each_decision(case, shop, max_, mia):
    make_campaign(name="Another", rule={"recipient": "both", "order_number": "any"})
    shop.pays("boris", "700")
    other = Case.objects.exclude(pk=case.pk).get()
    people = {shop.id_of("anna"), shop.id_of("boris")}
    assert [each.pk for each in dossiers.record_of(case=case, member_ids=people).also_open] == [other.pk]

    deciding.reject(case=other, by=max_, at=NOON)
    deciding.undo(case=other, by=max_, at=NOON)
    deciding.approve(case=other, by=mia, at=NOON)

    record = dossiers.record_of(case=case, member_ids=people)
    assert (record.approved, record.rejected, record.also_open) == (1, 0, ())
    assert [each.action for each in record.decisions] == ["approve", "undo", "reject"]


def test_a_waiting_case_of_the_same_ring_is_told_though_it_is_about_others(case, shop):
    flag(shop, inviter="clara", friend="dina")
    other = Case.objects.exclude(pk=case.pk).get()
    Case.objects.filter(pk=case.pk).update(group_key="ring:7:campaign:1")
    Case.objects.filter(pk=other.pk).update(group_key="ring:7:campaign:2")
    case.refresh_from_db()

    record = dossiers.record_of(case=case, member_ids={shop.id_of("anna"), shop.id_of("boris")})

    assert [each.pk for each in record.also_open] == [other.pk]
    Case.objects.filter(pk=other.pk).update(group_key="ring:77:campaign:2")
    assert dossiers.record_of(case=case, member_ids={shop.id_of("anna")}).also_open == ()


def test_the_web_of_a_case_takes_as_many_statements_however_wide_it_is(case, shop):
    rewards = rewards_of([case])[case.pk]
    parties = {shop.id_of("anna"), shop.id_of("boris")}
    with CaptureQueriesContext(connection) as few:
        webs.web_of(parties=parties, rewards=rewards)
    for number in range(20):
        shop.joins({"external_id": f"m{number}", "card": "token-anna", "device": f"device-of-{number // 2}"})

    with CaptureQueriesContext(connection) as many:
        web = webs.web_of(parties=parties, rewards=rewards)

    assert len(many) == len(few)
    assert len(web.people) == 22
    assert Person(shop.id_of("anna"), "anna", is_party=True) in web.people
    # Of the others' own devices nothing is said: they lead away from the case.
    assert [(each.kind, len(each.holders), each.others) for each in web.things] == [("card", 22, 0)]
    assert web.invites == ((shop.id_of("anna"), shop.id_of("boris")),)


def test_mails_that_are_alike_are_drawn_unless_they_are_the_same(shop, campaign):
    shop.joins({"external_id": "anna", "email": "rob.ring@example.com"})
    shop.joins({"external_id": "boris", "email": "robring77@example.com"}, invited_by="anna")
    shop.joins({"external_id": "clara", "email": "other.lady@example.com"})
    shop.joins({"external_id": "dina", "email": "other.lady@example.com"})

    def kinds(*names: str) -> list[str]:
        return [each.kind for each in webs.web_of(parties={shop.id_of(name) for name in names}, rewards=()).things]

    assert kinds("anna", "boris") == ["email_alike"]
    assert kinds("clara", "dina") == ["email"]


def test_a_timeline_is_in_order_and_as_long_as_asked(case, shop):
    shop.tells("check_in", {"external_id": "anna", "device": "a-tablet-of-hers"})

    moments = timelines.timeline_of(member_id=shop.id_of("anna"), size=4)

    assert len(moments) == 4
    assert [each.at for each in moments] == sorted((each.at for each in moments), reverse=True)
    assert {"identity", "event"} <= {each.what for each in timelines.timeline_of(member_id=shop.id_of("anna"), size=20)}
    assert "a-tablet-of-hers" not in str(moments)
