"""An inviter and an invitee who share what two people do not share."""

from collections.abc import Iterator

from antifraud.observed import Observed, Policy, Seen

# A family shares a tablet, but not an e-mail, a phone number, a Telegram account or a bank card.
WEIGHTS = {"telegram": 100, "email": 100, "phone": 100, "card": 100, "device": 60}


def observe(case: Observed, policy: Policy) -> Iterator[Seen]:
    """Yield one observation for each kind of identity that both sides have the same value of."""
    shared = {kind for kind, _ in case.inviter_identities & case.invitee_identities}
    for kind, weight in WEIGHTS.items():
        if kind in shared:
            yield Seen(signal=f"self_referral_{kind}", weight=weight, evidence={"kind": kind})
