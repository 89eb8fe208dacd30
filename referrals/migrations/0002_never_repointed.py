from django.db import migrations

from core.db import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("referrals", "0001_initial")]

    operations = [
        AppendOnly("Code"),
        AppendOnly(
            "Referral",
            protects=("inviter", "invitee", "code", "click", "event", "channel", "utm", "attributed_at"),
        ),
    ]
