"""``avdetect cues``: what is measured beside the branches, after whom, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from avdetect.report.words import plain

if TYPE_CHECKING:
    from avdetect.cues.base import Cue
    from avdetect.cues.worth import Worths

CUES_HELP = """List the forensic cues: what each looks for, what it needs, how far to trust it.

Cues are measurements beside the three branches. Each says how well it told fake from real on \
clips of sources it had not seen; many hardly did, and are shown all the same.

\b
Examples:
  avdetect cues
  avdetect cues blink
  avdetect scan interview.mp4 --cues blink,pulse
  avdetect scan interview.mp4 --cues all --report reports/
"""


def cues(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", show_default=False)] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="Model bundle whose figures are told.")
    ] = "default",
) -> None:
    """List the cues, or tell all of one."""
    from avdetect.checkpoint import load_checkpoint, read_bundle
    from avdetect.cues import CUES, choose_cues
    from avdetect.cues.worth import NO_WORTHS, read_worths

    bundle = read_bundle(model)
    worths = NO_WORTHS
    if "cues" in bundle.checkpoints:
        worths = read_worths(load_checkpoint(bundle.checkpoints["cues"]), CUES)
    for cue in choose_cues(name or "all"):
        for line in _lines(cue, worths):
            typer.echo(plain(line))


def _lines(cue: Cue, worths: Worths) -> list[str]:
    needs = f", from {cue.least_s:g} s" if cue.least_s else ""
    cost = "" if cue.cheap else "; not run unless asked for, it takes its time"
    lines = [
        f"{cue.name}  {cue.title}: {cue.measures}",
        f"    looks at {', '.join(cue.media)}{needs}{cost}",
        f"    after {cue.reference}",
    ]
    known = [
        (medium, worths[cue.name, medium]) for medium in cue.media if (cue.name, medium) in worths
    ]
    for medium, worth in known:
        chance = "" if worth.separates else ", not surely better than chance"
        lines.append(
            f"    on {medium}: AUC {worth.auc:.3f} [{worth.auc_low:.3f}, {worth.auc_high:.3f}] "
            f"({worth.n_real} real, {worth.n_fake} fake){chance}"
        )
    if not known:
        lines.append("    its worth on recordings is not known")
    return lines
