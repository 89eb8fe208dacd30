"""The figures of one seed, for people."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from antifraud.signals import SIGNALS
from benchmarks.fraud import measuring
from benchmarks.fraud.measuring import Earned, Share

REFUSED_MAX, FLAGGED_PERCENT_MAX, CAUGHT_PERCENT_MIN = 0, 3.0, 95.0


def is_on_target(found: Sequence[Earned]) -> bool:
    """Tell whether no honest reward was refused, few were flagged, and nearly all that crooks would get was caught."""
    return (
        measuring.honest_refused(found).part <= REFUSED_MAX
        and measuring.honest_flagged(found).percent <= FLAGGED_PERCENT_MAX
        and measuring.fraud_caught(found).percent >= CAUGHT_PERCENT_MIN
    )


def drawn(found: Sequence[Earned]) -> str:
    """Return all tables: each signal, each pattern, and what the policy makes of them."""
    return "\n".join(["", *_signals(found), "", *_patterns(found), "", *_policy(found)])


def _signals(found: Sequence[Earned]) -> Iterator[str]:
    yield f"{'signal':<24}{'rewards':>8}{'precision':>11}{'recall':>8}"
    for signal in SIGNALS:
        right = measuring.precision(found, signal.name)
        shown = f"{right.percent:10.1f}%" if right.whole else f"{'-':>11}"
        yield f"{signal.name:<24}{right.whole:>8}{shown}{measuring.recall(found, signal.name).percent:7.1f}%"


def _patterns(found: Sequence[Earned]) -> Iterator[str]:
    yield f"{'pattern':<24}{'rewards':>8}{'refused':>8}{'flagged':>8}{'given':>7}{'taken back':>12}   most seen"
    by_pattern: defaultdict[str, list[Earned]] = defaultdict(list)
    for each in found:
        by_pattern[each.pattern].append(each)
    for pattern, those in sorted(by_pattern.items()):
        answers = Counter(each.answer for each in those)
        back = sum(each.is_taken_back for each in those if not each.is_caught)
        most = Counter(signal for each in those for signal in each.signals).most_common(3)
        yield (
            f"{pattern or 'honest':<24}{len(those):>8}{answers['refused']:>8}{answers['flagged']:>8}"
            f"{answers['rewarded']:>7}{back:>12}   {', '.join(f'{name} {count}' for name, count in most)}"
        )


def _policy(found: Sequence[Earned]) -> Iterator[str]:
    yield _line("honest rewards refused", measuring.honest_refused(found), f"at most {REFUSED_MAX}")
    yield _line("honest rewards flagged", measuring.honest_flagged(found), f"at most {FLAGGED_PERCENT_MAX:g}%")
    yield _line("points of fraud caught", measuring.fraud_caught(found), f"at least {CAUGHT_PERCENT_MIN:g}%")
    yield _line("points that crooks keep", measuring.fraud_lost(found), "the rest was taken back by refunds")


def _line(what: str, share: Share, target: str) -> str:
    return f"{what:<24}{share.part:>8,} of {share.whole:>9,}{share.percent:8.2f}%   ({target})"
