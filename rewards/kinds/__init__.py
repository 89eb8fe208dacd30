"""
What a rule can give: a kind is a folder here, named in settings.REWARD_KINDS, and all folders look alike.

`terms.py` has `TERMS` (see `campaigns.giving.Terms`): what there is to choose, how an amount is asked for, what is
wrong with a choice, and how it is said. What is counted in units of an asset is posted to the ledger; of the other
kinds `giving.py` says what becomes of one (`begin`) and whether it can be taken back (`stop`). The recipe for another
kind is in CONTRIBUTING.md.
"""
