"""The groups of operations, in the order in which one meets them: in the reference, and in what is made of it."""

from typing import Final

TAGS: Final = {
    "key": "Whose key this is, and what it may do.",
    "events": "Report what happened, and see what became of it.",
    "members": "People: who they are, what they have, whom they invited, and why they got what they got.",
    "referrals": "Who invited whom.",
    "clicks": "Visits of a member's link, or with a code.",
    "rewards": "What members were owed.",
    "entitlements": "What members were given that is not counted.",
    "redemptions": "Points that pay for an order.",
    "codes": "Discount codes at the checkout.",
    "catalogue": "What can be bought with points.",
    "purchases": "What was bought.",
    "certificates": "Gift certificates of brands.",
    "levels": "The ladder that members climb.",
    "adjustments": "Balances changed by hand.",
    "payouts": "Money that is paid out.",
    "campaigns": "What is rewarded, in plain words.",
    "leaderboards": "Who brings the most.",
    "cases": "What waits for a moderator.",
    "webhooks": "Be told instead of asking.",
    "exports": "Whole tables: what happened, was offered, owed and spent.",
    "sandbox": "What can only be tried out: time, examples, a fresh start.",
}
# The page of docs/api/ that tells more about a group, where it is not called like the group.
PAGES: Final = {
    "key": "authentication",
    "clicks": "links",
    "entitlements": "rewards",
    "codes": "discount-codes",
    "purchases": "catalogue",
    "adjustments": "rewards",
    "leaderboards": "campaigns",
}
