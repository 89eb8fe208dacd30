from django.db import migrations

from core.db import AppendOnly

KINDS = ("escrow", "spend", "expiry", "writeoff")

# What is left of a balance is of the latest earnings: the first are spent first.
OPEN_LOTS = """
INSERT INTO rewards_lot (posting_id, account_id, remaining, available_at, expires_at)
SELECT id, account_id, least(amount, greatest(balance - later, 0)), at, NULL
FROM (
    SELECT p.id, a.id AS account_id, p.amount, a.balance, p.at,
        coalesce(sum(p.amount) OVER (
            PARTITION BY a.id ORDER BY p.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS later
    FROM rewards_account a JOIN rewards_posting p ON p.target_id = a.id
    WHERE a.kind = 'member'
) earned
ORDER BY id
"""
# The rest has been spent: one use of each lot, by the posting itself, makes its sum right.
NOTE_USES = """
INSERT INTO rewards_lotuse (posting_id, lot_id, amount)
SELECT p.id, p.id, p.amount - l.remaining
FROM rewards_lot l JOIN rewards_posting p ON p.id = l.posting_id
WHERE l.remaining < p.amount
ORDER BY p.id
"""


def make(apps, schema_editor):
    account = apps.get_model("rewards", "Account")
    for asset in apps.get_model("rewards", "Asset").objects.order_by("pk"):
        for kind in KINDS:
            account.objects.get_or_create(kind=kind, member=None, asset=asset)
    apps.get_model("rewards", "RewardPolicy").objects.get_or_create(pk=1)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OPEN_LOTS)
        cursor.execute(NOTE_USES)


def unmake(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DELETE FROM rewards_lotuse")
        cursor.execute("DELETE FROM rewards_lot")
    # Where something was posted, the foreign keys refuse: what was spent cannot be forgotten.
    apps.get_model("rewards", "Account").objects.filter(kind__in=KINDS).delete()
    apps.get_model("rewards", "RewardPolicy").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("rewards", "0004_what_can_be_owed")]

    # The uses are protected once they are there.
    operations = [migrations.RunPython(make, unmake), AppendOnly("LotUse")]
