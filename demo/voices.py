"""What friends do besides buying: they install the app, and say what they think of a record. Simulated, and pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Final

from demo.acts import SIMULATED, Act
from demo.days import Days
from demo.friends import Friend

SEED: Final = "voices"
INSTALLS_SHARE: Final = 0.3
REVIEWS_SHARE: Final = 0.4
STARS: Final = ((5, 4, 3, 2), (6, 3, 2, 1))


def acts(*, friends: Sequence[Friend], days: Days) -> Iterator[Act]:
    """Yield who installs the app, minutes after joining, and who writes a review within days."""
    rng = Random(SEED)
    for friend in friends:
        installs, reviews = rng.random() < INSTALLS_SHARE, rng.random() < REVIEWS_SHARE
        installed_at = friend.joined_at + timedelta(minutes=rng.randint(1, 3))
        reviewed_at = friend.joined_at + timedelta(days=rng.randint(3, 12))
        stars = rng.choices(*STARS)[0]
        if installs and installed_at < days.last_at:
            yield Act(
                key=f"simulated:{friend.name}:app",
                kind="custom.app_installed",
                who={"external_id": friend.name},
                at=installed_at,
                data={"channel": friend.channel, "extra": SIMULATED},
            )
        if reviews and reviewed_at < days.last_at:
            yield Act(
                key=f"simulated:{friend.name}:review",
                kind="custom.review",
                who={"external_id": friend.name},
                at=reviewed_at,
                data={"value": stars, "label": "Kind of Blue", "channel": friend.channel, "extra": SIMULATED},
            )
