from django.db import migrations

# What the choice was stays the choice, as the setting of its signal.
KEEP_VELOCITY = """
UPDATE antifraud_fraudpolicy SET signals = jsonb_build_object('velocity', jsonb_build_object('allowed', signups_per_hour))
WHERE signups_per_hour <> 10 AND signals = '{}'
"""
FORGET_VELOCITY = """
UPDATE antifraud_fraudpolicy SET signups_per_hour = (signals -> 'velocity' ->> 'allowed')::int
WHERE signals -> 'velocity' ? 'allowed'
"""
# What stop rules have summed so far.
COPY_MINUTES = """
INSERT INTO antifraud_tally (scope, subject, minute, signups, orders, order_minor, refunds, rewards, points, cost_minor,
    flagged, refused, device_signups, devices, ip_signups, ips)
SELECT 'campaign', scope_id::text, period_start, 0, 0, 0, 0, count, points, 0, 0, 0, 0, 0, 0, 0
FROM antifraud_counter WHERE scope = 'campaign' AND period = 'minute'
ON CONFLICT DO NOTHING
"""
DROP_MINUTES = "DELETE FROM antifraud_counter WHERE period = 'minute'"
DUE = "UPDATE antifraud_case SET due_at = opened_at + interval '24 hours' WHERE status = 'open' AND due_at IS NULL"

RULES = (
    {"scope": "campaign", "metric": "rewards", "comparison": "anomaly", "threshold": 30, "window_minutes": 60},
    {"scope": "inviter", "metric": "rewards", "threshold": 20, "window_minutes": 60, "action": "flag"},
    {"scope": "campaign", "metric": "flagged_share", "threshold": 5_000, "window_minutes": 60, "action": "notify"},
    {"scope": "campaign", "metric": "refund_share", "threshold": 4_000, "window_minutes": 1440, "action": "notify"},
)


def make(apps, schema_editor):
    for rule in RULES:
        apps.get_model("antifraud", "StopRule").objects.get_or_create(campaign=None, **rule)


def unmake(apps, schema_editor):
    fired = apps.get_model("antifraud", "Trip").objects.values("stop_rule_id")
    for rule in RULES:
        apps.get_model("antifraud", "StopRule").objects.filter(campaign=None, **rule).exclude(pk__in=fired).delete()


class Migration(migrations.Migration):
    dependencies = [("antifraud", "0005_whether_to_pay")]

    operations = [
        migrations.RunSQL(KEEP_VELOCITY, FORGET_VELOCITY),
        migrations.RunSQL(COPY_MINUTES, migrations.RunSQL.noop),
        migrations.RunSQL(DROP_MINUTES, migrations.RunSQL.noop),
        migrations.RunSQL(DUE, migrations.RunSQL.noop),
        migrations.RunPython(make, unmake),
    ]
