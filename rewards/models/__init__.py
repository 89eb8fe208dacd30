"""What is owed: rewards, the ledger that counts them, and what can be had besides units."""

from rewards.models.gifts import Entitlement, Gift, Provider, StockCode
from rewards.models.ledger import Account, Asset, Lot, LotUse, Posting
from rewards.models.levels import Level, Standing
from rewards.models.policy import RewardPolicy
from rewards.models.redemptions import Adjustment, Redemption
from rewards.models.rewards import Reward

__all__ = [
    "Account",
    "Adjustment",
    "Asset",
    "Entitlement",
    "Gift",
    "Level",
    "Lot",
    "LotUse",
    "Posting",
    "Provider",
    "Redemption",
    "Reward",
    "RewardPolicy",
    "Standing",
    "StockCode",
]
