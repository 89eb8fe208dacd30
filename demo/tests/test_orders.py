from collections import Counter
from datetime import date, timedelta

from demo import orders


def test_the_sample_is_whole():
    read = orders.read()

    assert len(read) == 6_919
    assert len({order.customer for order in read}) == 2_357
    assert sum(order.amount_minor for order in read) == 24_409_194
    assert Counter(order.amount_minor == 0 for order in read) == {False: 6_911, True: 8}
    assert (min(order.date for order in read), max(order.date for order in read)) == (date(1997, 1, 1), orders.ENDS)


def test_orders_are_numbered_by_customer():
    first = [order for order in orders.read() if order.customer == "0001"]

    assert [(order.nth, order.date.isoformat(), order.amount_minor) for order in first] == [
        (1, "1997-01-01", 2_933),
        (2, "1997-01-18", 2_973),
        (3, "1997-08-02", 1_496),
        (4, "1997-12-12", 2_648),
    ]


def test_all_days_move_by_the_same_number_so_that_the_last_is_today(days):
    shift = days.last - orders.ENDS

    for dated in (each for paid in orders.shifted(days=days).values() for each in paid):
        assert dated.at.astimezone(days.zone).date() == dated.order.date + shift
        assert dated.at < days.last_at

    assert orders.first_day(days=days) == date(1997, 1, 1) + shift
    assert shift > timedelta(0)


def test_nobody_s_later_order_is_paid_earlier(days):
    for paid in orders.shifted(days=days).values():
        assert [dated.order.nth for dated in paid] == list(range(1, len(paid) + 1))
        assert paid == sorted(paid, key=lambda dated: dated.at)
