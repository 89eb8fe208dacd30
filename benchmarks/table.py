"""What was measured, for people."""

from collections.abc import Sequence

from benchmarks.rows import Measured

HEADINGS = ("row", "what", "median", "(min - max)", "floor", "target", "")


def drawn(measured: Sequence[Measured]) -> str:
    """Return the table, and below it the absolute figures, which say more about the machine than about us."""
    lines = [HEADINGS, *(_line(each) for each in measured)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADINGS))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    figures = {name: figure for each in measured for name, figure in each.figures.items()}
    width = max(map(len, figures), default=0)
    return "\n".join(
        ["", *rows, "", "For information:", *(f"  {name.ljust(width)}  {figure}" for name, figure in figures.items())]
    )


def _line(each: Measured) -> tuple[str, ...]:
    row = each.row
    bound = "<=" if row.is_most else ">="
    verdict = "BELOW THE FLOOR" if not each.holds else "on target" if each.is_on_target else "ok"
    if not each.holds and row.is_most:
        verdict = "ABOVE THE CEILING"
    return (
        row.name,
        row.what,
        f"{_shown(each.value)}{row.unit}",
        f"({_shown(min(each.values))} - {_shown(max(each.values))})",
        f"{bound} {row.floor:g}{row.unit}",
        f"{row.target:g}{row.unit}",
        verdict,
    )


def _shown(value: float) -> str:
    return f"{value:.3f}" if value < 2 else f"{value:.1f}"
