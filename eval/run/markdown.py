"""Cells and tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

NO_FIGURE = "–"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def number(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash where it is not defined."""
    return NO_FIGURE if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share."""
    return NO_FIGURE if value is None else f"{100.0 * value:.1f} %"


def with_interval(figures: dict[str, Any], name: str) -> str:
    """A figure with its 95 % interval, if it carries one."""
    bounds = figures["intervals"][name]
    shown = f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds is not None else ""
    return number(figures[name]) + shown


def percent_with_interval(figures: dict[str, Any], name: str) -> str:
    """The same as percents."""
    bounds = figures["intervals"][name]
    shown = f" [{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]" if bounds is not None else ""
    return percent(figures[name]) + shown


def coverage(figures: dict[str, Any]) -> str:
    """Share judged, and of each class."""
    by_class = f"{percent(figures['coverage_real'])} / {percent(figures['coverage_fake'])}"
    return f"{percent(figures['coverage'])} ({by_class})"


def errors(at: dict[str, Any] | None) -> str:
    """False alarms / detected / cost at a threshold."""
    if at is None:
        return NO_FIGURE
    return f"{percent(at['false_alarms'])} / {percent(at['detected'])} / {number(at['cost'])}"
