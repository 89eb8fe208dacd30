"""
What people are known by: made-up mailboxes, numbers, devices, cards and addresses, as common ones are distributed.

First names and surnames are as uneven as real ones, so that strangers have mailboxes that look alike. Nearly half of
all sign-ups come from phone networks, where hundreds share an address (carrier-grade NAT, RFC 6598).
"""

from pathlib import Path
from random import Random
from typing import Final

# The most frequent first.
FIRST: Final = (Path(__file__).parent / "first_names.txt").read_text(encoding="ascii").split()
LAST: Final = (Path(__file__).parent / "surnames.txt").read_text(encoding="ascii").split()
DOMAINS: Final = ("mail.ru", "yandex.ru", "gmail.com", "bk.ru", "inbox.ru", "list.ru", "rambler.ru", "icloud.com")
DOMAIN_WEIGHTS: Final = (30, 28, 25, 5, 4, 3, 3, 2)
THROWAWAY: Final = ("mailinator.com", "guerrillamail.com", "10minutemail.com", "yopmail.com", "trashmail.com")
# A data centre's networks: the tenant has loaded a list that holds them (in reality such lists hold most).
DATACENTER: Final = ("45.10.0.0/16", "45.11.0.0/16")
HOMES: Final = (5, 31, 37, 46, 77, 78, 85, 91, 94)
CARRIERS: Final = 4
CARRIER_SUBNETS: Final = 6
TELEGRAM_NEWEST: Final = 7_400_000_000
TELEGRAMS_A_DAY: Final = 1_500_000


class Names:
    """Draws what is unlike everything drawn before, unless it says otherwise."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[str] = set()
        self._count = 0

    def email(self, *, surname: str = "") -> str:
        """Return somebody's mailbox: their name, perhaps with a year or a number, at a domain that many use."""
        rng = self._rng
        first, last = self._common(FIRST), surname or self._common(LAST)
        local = rng.choice((f"{first}.{last}", f"{last}.{first}", f"{first}{last}", f"{last}_{first[0]}", f"{first}"))
        local += rng.choice(("", "", str(rng.randint(1, 99)), str(rng.randint(1965, 2008))))
        return self._free(local, rng.choices(DOMAINS, DOMAIN_WEIGHTS)[0])

    def nonsense_email(self) -> str:
        """Return a mailbox that a program has named."""
        letters = "".join(self._rng.choices("bcdfghjklmnprstvz", k=self._rng.randint(7, 11)))
        return self._free(letters, self._rng.choices(DOMAINS, DOMAIN_WEIGHTS)[0])

    def throwaway_email(self) -> str:
        """Return a mailbox for ten minutes."""
        return self._free(f"u{self._rng.randrange(10**8)}", self._rng.choice(THROWAWAY))

    def email_like(self, email: str, *, nth: int) -> str:
        """Return a variant of a mailbox: other digits, a dash, or a zero for an o."""
        local, domain = email.split("@")
        stem = local.rstrip("0123456789")
        variants = (f"{stem}{nth}", f"{stem}.{nth}", f"{stem}-{nth}", f"{stem}_{nth:02}")
        return self._free(self._rng.choice(variants), domain)

    def phone(self) -> str:
        """Return a mobile number."""
        return f"+79{self._serial(9)}"

    def telegram(self, *, day: int, is_young: bool) -> str:
        """Return a Telegram number: Telegram counts upwards, and a young account is from these days."""
        top = TELEGRAM_NEWEST + day * TELEGRAMS_A_DAY
        number = top + self._rng.randrange(TELEGRAMS_A_DAY) if is_young else self._rng.randrange(10**8, TELEGRAM_NEWEST)
        return str(number)

    def device(self) -> str:
        """Return what an app knows a phone by."""
        return f"device-{self._serial(12)}"

    def card(self) -> str:
        """Return what a payment provider knows a card by."""
        return f"pm_{self._serial(14)}"

    def home_address(self) -> str:
        """Return the address of a home or an office: one in six has IPv6."""
        rng = self._rng
        if rng.random() < 1 / 6:
            network = ":".join(f"{rng.randrange(16**4):x}" for _part in range(3))
            return f"2a02:{network}::{rng.randrange(1, 999):x}"
        return f"{rng.choice(HOMES)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"

    def phone_network_address(self, carrier: int) -> str:
        """Return the address under which a phone network shows one of its customers at the moment."""
        return f"100.{carrier}.{self._rng.randrange(CARRIER_SUBNETS)}.{self._rng.randrange(1, 255)}"

    def hosted_address(self) -> str:
        """Return the address of a rented server."""
        return f"45.{self._rng.choice((10, 11))}.{self._rng.randrange(256)}.{self._rng.randrange(1, 255)}"

    def subnet(self) -> str:
        """Return the first three numbers of a network whose addresses are rented out as somebody's home."""
        return f"{self._rng.choice((176, 178, 188))}.{self._rng.randrange(256)}.{self._rng.randrange(256)}"

    def _common(self, names: list[str]) -> str:
        # The first is several times as common as the last.
        return names[min(int(self._rng.expovariate(3.0 / len(names))), len(names) - 1)]

    def _serial(self, digits: int) -> str:
        self._count += 1
        return f"{self._rng.randrange(10 ** (digits - 6))}{self._count:06}".zfill(digits)

    def _free(self, local: str, domain: str) -> str:
        found, number = f"{local}@{domain}", 2
        # Google takes no account of dots, and so must we.
        while found.replace(".", "") in self._taken:
            found, number = f"{local}{self._rng.randrange(number, number * 40)}@{domain}", number + 1
        self._taken.add(found.replace(".", ""))
        return found
