"""What a campaign's page asks about levels: what they are called, and whether a rule on them would wait in vain."""

from django.utils.translation import gettext

from rewards.levels import setting
from rewards.models import Level


def names() -> list[tuple[str, str]]:
    """Return the code and the name of each level, the lowest first."""
    return list(Level.objects.order_by("threshold").values_list("code", "name"))


def why_not_reached() -> str | None:
    """Return why nobody can reach a level, as a sentence."""
    return None if setting.get().ladder.steps else gettext("There are no levels yet, so that nobody can reach one.")


def why_not_about_to_fall() -> str | None:
    """Return why nobody is ever about to lose a level, as a sentence."""
    policy = setting.get().policy
    if policy.fall == "never":
        return gettext("By the reward policy nobody ever loses a level.")
    if not policy.notice_before_fall_days:
        return gettext("By the reward policy a level is lost without a notice before.")
    return why_not_reached()
