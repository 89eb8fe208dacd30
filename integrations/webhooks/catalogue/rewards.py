"""What is told of rewards, referrals and levels."""

from typing import Final

from core.errors import translated as _
from integrations.webhooks.catalogue.shapes import (
    ACTOR,
    ASSET,
    CAMPAIGN_ID,
    REASON,
    FactKind,
    maybe,
    moment,
    number,
    record,
    words,
)

REWARD: Final = {
    "reward_id": number("Of the reward."),
    "kind": words("What kind of reward it is: points, money, spin, certificate, …"),
    "what": words("Which asset or gift, by its code; empty for points."),
    "points": number("How many points; 0 where it is something else."),
    "given": number("How much of it, in the asset's smallest units; 1 for a gift."),
    "asset": maybe(ASSET),
    "campaign_id": maybe(CAMPAIGN_ID),
    "rule_id": number("Of the rule that it comes from."),
    "side": words("Who it is for: actor, inviter or invitee."),
    "occurrence": words("What it is for, such as order:1001."),
}
# Of no fact's own data: found when the message is written.
REFERRAL_ID: Final = maybe(number("Of the referral."))
AWAITS: Final = {"awaits": words("The kind of event that it waits for, if it is a promise.")}
HAND: Final = {"amount": number("How much was given by hand."), "reason": REASON, "actor": ACTOR}
CASE: Final = {"case_id": number("Of the case.")}
MESSAGE: Final = {
    "message": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "What the member may be told, by language. Left out where the tenant does not want that.",
    }
}
LEVEL: Final = {
    "level_id": number("Of the level."),
    "code": words("The level's code."),
    "measured": number("How far the member has come, in what the ladder measures."),
}

_REWARD = {
    "reward_id": 12,
    "campaign_id": 3,
    "rule_id": 4,
    "side": "inviter",
    "points": 100,
    "given": 100,
    "kind": "points",
    "what": "",
    "asset": "points",
    "occurrence": "invitee:7",
}
_DECIDED = {"reward_id": 12, "case_id": 5, "points": 100, "given": 100, "kind": "points", "what": "", "asset": "points"}

KINDS: Final = (
    FactKind(
        name="reward.granted",
        label=_("A reward was granted"),
        schema=record("reward_id", "kind", "what", **REWARD, **CASE, **HAND, **AWAITS),
        example=_REWARD,
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.pending",
        label=_("A reward waits until its hold is over"),
        schema=record("reward_id", "kind", "what", "given", **REWARD, **AWAITS),
        example=_REWARD,
        is_confirmed=False,
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.flagged",
        label=_("A reward waits for a moderator"),
        schema=record("reward_id", "kind", "what", "given", **REWARD, **AWAITS),
        example=_REWARD,
        is_confirmed=False,
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.approved",
        label=_("A moderator approved a reward"),
        schema=record("reward_id", "case_id", "kind", "what", "given", **REWARD, **CASE, **MESSAGE),
        example={**_DECIDED, "message": {"en": "+100 points was checked and approved: a friend's first order"}},
        is_confirmed=False,
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.reopened",
        label=_("A reward is being checked again"),
        schema=record("reward_id", "case_id", "kind", "what", "given", **REWARD, **CASE, **MESSAGE),
        example=_DECIDED,
        is_confirmed=False,
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.rejected",
        label=_("A reward was rejected"),
        schema=record("reward_id", "kind", "what", "given", **REWARD, **CASE, **MESSAGE, **AWAITS),
        example=_DECIDED,
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.promise_kept",
        label=_("What a promised reward waited for has come"),
        schema=record("reward_id", "kind", "what", "given", **REWARD),
        example={"reward_id": 12, "campaign_id": 3, "points": 200, "given": 200, "kind": "points", "what": ""},
        is_confirmed=False,
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.cancelled",
        label=_("A reward was cancelled"),
        schema=record(
            "reward_id",
            **REWARD,
            status=words("What the reward is now."),
            taken_back=number("How much of it was taken back."),
            lost=number("How much of it could not be taken back."),
            lost_why=words("Why not; empty where nothing was lost."),
            reason=REASON,
            actor=ACTOR,
        ),
        example={
            "reward_id": 12,
            "status": "cancelled",
            "taken_back": 100,
            "lost": 0,
            "lost_why": "",
            "reason": "given by mistake",
            "actor": "marta",
        },
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.taken_back",
        label=_("A refund took a reward back"),
        schema=record(
            "reward_id",
            "given",
            **REWARD,
            lost=number("How much of it could not be taken back."),
            lost_why=words("Why not. Left out where nothing was lost."),
            status=words("What the reward is now."),
        ),
        example={
            "reward_id": 12,
            "points": 100,
            "given": 100,
            "kind": "points",
            "what": "",
            "lost": 0,
            "status": "reversed",
        },
        object_type="reward",
        object_key="reward_id",
    ),
    FactKind(
        name="reward.issued",
        label=_("A reward was issued by hand"),
        schema=record("kind", "what", "amount", kind=REWARD["kind"], what=REWARD["what"], **HAND),
        example={"kind": "points", "what": "", "amount": 50, "reason": "Sorry for the delay", "actor": "marta"},
        object_type="member",
        # reward.granted follows.
        is_confirmed=False,
    ),
    FactKind(
        name="referral.attributed",
        label=_("A friend joined"),
        schema=record(
            "inviter_id",
            "invitee_id",
            referral_id=REFERRAL_ID,
            inviter_id=number("Sarafan's number of the inviter, who is also `member`."),
            invitee_id=number("Sarafan's number of the friend."),
            channel=words("Where they came from, in the tenant's words."),
        ),
        example={"referral_id": 2, "inviter_id": 6, "invitee_id": 7, "channel": "telegram"},
        object_type="referral",
        object_key="referral_id",
    ),
    FactKind(
        name="referral.qualified",
        label=_("A friend earned the inviter a first reward"),
        schema=record(
            "inviter_id",
            "invitee_id",
            referral_id=REFERRAL_ID,
            inviter_id=number("Sarafan's number of the inviter."),
            invitee_id=number("Sarafan's number of the friend, who is also `member`."),
        ),
        example={"referral_id": 2, "inviter_id": 6, "invitee_id": 7},
        object_type="referral",
        object_key="referral_id",
    ),
    FactKind(
        name="level.reached",
        label=_("A member reached a level"),
        schema=record("code", **LEVEL, **{"from": maybe(words("The level before, if there was one."))}),
        example={"level_id": 2, "code": "gold", "measured": 100_000, "from": "silver"},
        object_type="member",
    ),
    FactKind(
        name="level.fallen",
        label=_("A member lost a level"),
        schema=record("code", **LEVEL, to=maybe(words("The level now, if there is one."))),
        example={"level_id": 2, "code": "gold", "measured": 40_000, "to": "silver"},
        object_type="member",
    ),
    FactKind(
        name="level.will_fall",
        label=_("A member will lose a level soon"),
        schema=record(
            "level_id",
            "code",
            "by",
            **LEVEL,
            missing=number("How much would keep it."),
            by=moment("Until when."),
            to=maybe(words("The level then, if there is one.")),
        ),
        example={
            "level_id": 2,
            "code": "gold",
            "measured": 90_000,
            "missing": 10_000,
            "by": "2026-04-01T00:00:00+00:00",
            "to": "silver",
        },
        object_type="member",
        is_confirmed=False,
    ),
)
