"""The drawing of who is tied to whom."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antifraud.moderation import graph, nodes
from antifraud.moderation.nodes import Person, Thing, Web


def people(*names: str, parties: int = 2) -> tuple[Person, ...]:
    return tuple(Person(number, name, number <= parties) for number, name in enumerate(names, start=1))


def card(*holders: int, label: str = "card …4567", others: int = 0) -> Thing:
    return Thing("card", label, frozenset(holders), others)


PAIR = Web(people("anna", "boris"), (card(1, 2),), ((1, 2),))


def test_an_inviter_stands_above_the_friend_and_what_they_share_between_them():
    drawing = graph.draw(web=PAIR)

    anna, boris = drawing.people
    (shared,) = drawing.things
    assert (anna.label, boris.label) == ("anna", "boris")
    assert anna.y < shared.y < boris.y
    assert (len(drawing.arrows), len(drawing.lines)) == (1, 2)
    assert drawing.height == 96


def test_the_friend_stands_below_however_the_members_are_numbered():
    web = Web(people("boris", "anna"), (), ((2, 1),))

    assert [each.label for each in graph.draw(web=web).people] == ["anna", "boris"]


def test_a_chain_that_comes_back_is_drawn_too():
    web = Web(people("anna", "boris", "clara"), (), ((1, 2), (2, 3), (3, 1)))

    drawing = graph.draw(web=web)

    assert [each.label for each in drawing.people] == ["anna", "boris", "clara"]
    assert len(drawing.arrows) == 3


def test_a_long_name_is_cut_and_an_exact_one_is_not():
    assert graph.short("x" * 16) == "x" * 16
    assert graph.short("x" * 17) == "x" * 15 + "…"


def test_whoever_is_tied_to_nobody_is_still_drawn():
    web = Web(people("anna"), (), ())

    assert not web.is_tied
    assert [each.label for each in graph.draw(web=web).people] == ["anna"]


def test_of_a_farm_those_of_the_case_are_shown_and_the_rest_is_counted():
    farm = Web(people(*(f"m{n}" for n in range(60))), (card(*range(1, 61)),), tuple((1, n) for n in range(2, 61)))

    shown = nodes.bounded(web=farm)

    assert len(shown.people) + len(shown.things) == nodes.NODES_MAX
    assert shown.left_out == 60 + 1 - nodes.NODES_MAX
    assert {1, 2} <= {each.id for each in shown.people}
    (thing,) = shown.things
    assert (len(thing.holders), thing.others) == (39, 21)
    assert set(shown.invites) == {(1, each.id) for each in shown.people if each.id != 1}


def test_what_fits_is_left_as_it_is():
    assert nodes.bounded(web=PAIR) is PAIR


webs = st.integers(1, 50).flatmap(
    lambda count: st.builds(
        Web,
        people=st.just(people(*(f"member-{n}" for n in range(count)))),
        things=st.lists(
            st.builds(
                Thing,
                kind=st.sampled_from(["card", "device", "email", "ip"]),
                label=st.text(max_size=30),
                holders=st.frozensets(st.integers(1, count), min_size=1, max_size=10),
                others=st.integers(0, 99),
            ),
            max_size=50,
        ).map(tuple),
        invites=st.dictionaries(st.integers(1, count), st.integers(1, count), max_size=count).map(
            lambda inviters: tuple((inviter, friend) for friend, inviter in inviters.items() if inviter != friend)
        ),
    )
)


@given(webs)
def test_whatever_the_web_nothing_covers_anything_and_all_is_on_paper(web):
    drawing = graph.draw(web=nodes.bounded(web=web))

    assert len(drawing.people) + len(drawing.things) <= nodes.NODES_MAX
    for column in (drawing.people, drawing.things):
        assert all(below.y - above.y >= graph.ROW for above, below in pairwise(column))
        for each in column:
            assert each.box.top >= 0
            assert each.box.top + each.box.height <= drawing.height
            assert each.box.right <= drawing.width
            assert len(each.label) <= graph.LABEL_LENGTH_MAX
    for path in (*drawing.arrows, *(line.path for line in drawing.lines)):
        assert all(0 <= int(number) <= max(drawing.width, drawing.height) for number in re.findall(r"-?\d+", path))


@given(webs)
def test_the_same_web_is_drawn_the_same_in_whatever_order_it_was_read(web):
    other = Web(web.people[::-1], web.things[::-1], web.invites[::-1])

    assert graph.draw(web=nodes.bounded(web=web)).people == graph.draw(web=nodes.bounded(web=other)).people


@given(webs)
def test_nobody_is_lost_without_being_counted(web):
    shown = nodes.bounded(web=web)

    assert len(shown.people) + len(shown.things) + shown.left_out == len(web.people) + len(web.things)
    assert {each for pair in shown.invites for each in pair} <= {each.id for each in shown.people}


@pytest.mark.parametrize("kind", ["card", "device"])
def test_what_only_one_of_those_shown_has_stays_if_others_have_it_too(kind):
    many = people(*(f"m{n}" for n in range(41)))
    web = Web(many, (Thing(kind, "x", frozenset({1, 41})), Thing(kind, "y", frozenset({41}), others=1)), ())

    shown = nodes.bounded(web=web)

    assert [(each.label, each.others) for each in shown.things] == [("x", 0), ("y", 1)]
