"""Forensic cues: evidence beside the three branches, one file a cue.

`CUES` is the only list of them: adding one adds a row here.
"""

from __future__ import annotations

from avdetect.cues import (
    cooccurrence,
    double_compression,
    exposure,
    eyes,
    lighting,
    metadata,
    patches,
    spectrum,
    teeth,
    warp,
)
from avdetect.cues.base import Cue
from avdetect.errors import UsageError

CUES: dict[str, Cue] = {
    cue.name: cue
    for cue in (
        warp.CUE,
        exposure.CUE,
        cooccurrence.CUE,
        spectrum.CUE,
        patches.CUE,
        double_compression.CUE,
        metadata.CUE,
        lighting.CUE,
        eyes.CUE,
        teeth.CUE,
    )
}


def choose_cues(names: str) -> tuple[Cue, ...]:
    """The cues of ``default`` (all that are cheap), ``all``, ``none``, or names with commas.

    Raises:
        UsageError: no cue has that name.
    """
    if names == "none":
        return ()
    if names in ("all", "default"):
        return tuple(cue for cue in CUES.values() if cue.cheap or names == "all")
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in CUES]
    if unknown or not wanted:
        raise UsageError(
            f"cues are {names!r}: use default, all, none, or some of {', '.join(CUES)}"
        )
    return tuple(CUES[name] for name in dict.fromkeys(wanted))
