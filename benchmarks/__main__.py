"""
Measure everything, or the groups that are named, and say whether the floors hold. Exit code 1: one does not.

`fraud` is none of them: it measures antifraud, on people whom it makes up.
"""

import os
import sys

# A profile of its own: durable commits as in a real run, and nobody's data. Servers named elsewhere are left alone.
os.environ |= {"SARAFAN_PROFILE": "bench", "DJANGO_SETTINGS_MODULE": "config.settings"}
os.environ |= {"DATABASE_URL": "", "BROKER_URL": "", "CACHE_URL": "", "LOG_LEVEL": "WARNING"}
# Receivers of webhooks are played on this machine.
os.environ["OUTBOUND_ALLOW_LOOPBACK"] = "yes"
os.environ |= {"API_REQUESTS_A_SECOND": "10000", "API_REQUESTS_A_DAY": "2000000000", "API_EVENTS_A_DAY": "2000000000"}

import django

django.setup()

from benchmarks import attack, ingest, latency, scoring, stage, table, webhooks  # noqa: E402 (they need the settings)
from benchmarks.fraud import command as fraud  # noqa: E402
from benchmarks.rows import Measured  # noqa: E402
from config import garbage  # noqa: E402

GROUPS = {
    "scoring": scoring.measure,
    "ingest": ingest.measure,
    "latency": latency.measure,
    "attack": attack.measure,
    "webhooks": webhooks.measure,
}


def main(wanted: list[str]) -> int:
    """Return 1 if a floor does not hold, measured twice."""
    unknown = set(wanted) - set(GROUPS)
    if unknown:
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.")
    measured: list[Measured] = []
    with stage.stage() as made:
        garbage.spare_what_stays()
        for name in wanted or GROUPS:
            print(f"Measuring {name} ...", flush=True)
            found = GROUPS[name](made)
            if not all(each.holds for each in found):
                print("Below a floor: once more, as somebody else may have needed the machine.", flush=True)
                found = GROUPS[name](made)
            measured += found
    print(table.drawn(measured))
    return 0 if all(each.holds for each in measured) else 1


if __name__ == "__main__":
    sys.exit(fraud.main(sys.argv[2:]) if sys.argv[1:2] == ["fraud"] else main(sys.argv[1:]))
