from events.fields import OPERATORS, Field, FieldType, values_of
from events.kinds import KINDS

PAID = KINDS["order.paid"]


def test_every_type_has_operators():
    assert set(OPERATORS) == set(FieldType)


def test_values_are_read_where_they_stand():
    data = {"order_id": "1001", "amount_minor": 4990, "currency": "USD", "channel": "site", "coupon": "SPRING"}

    assert values_of(data, PAID.fields) == {
        "amount_minor": 4990,
        "currency": "USD",
        "channel": "site",
        "coupon": "SPRING",
    }


def test_a_value_in_an_object_is_read_by_its_path():
    data = {"utm": {"source": "bot"}}

    assert values_of(data, KINDS["member.joined"].fields) == {"utm.source": "bot"}


def test_the_items_give_their_articles_and_their_number():
    data = {"items": [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 1}]}

    assert values_of(data, PAID.fields) == {"items.sku": ("A", "B"), "items.count": 3}


def test_an_order_without_items_says_nothing_of_them():
    assert values_of({"items": []}, PAID.fields) == {}


def test_fields_of_the_member_are_left_to_whoever_knows_the_member():
    assert values_of({"member": {"orders": 7}}, PAID.fields) == {}


def test_data_of_an_unexpected_shape_says_nothing():
    fields = (Field(name="utm.source", label="", type=FieldType.TEXT),)

    assert values_of({"utm": 7}, fields) == {}
    assert values_of({"utm": [{"source": "a"}, 7, {}]}, fields) == {"utm.source": ("a",)}
