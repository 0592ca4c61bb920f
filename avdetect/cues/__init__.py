"""Forensic cues: evidence beside the three branches, one file a cue.

`CUES` is the only list of them: adding one adds a row here.
"""

from __future__ import annotations

from avdetect.cues import (
    blink,
    breathing,
    codec_history,
    cooccurrence,
    double_compression,
    embedding_drift,
    exposure,
    eyes,
    head_lips,
    hum,
    lighting,
    lips_voice,
    map_focus,
    metadata,
    neurons,
    noise_floor,
    patches,
    phase,
    pitch_motion,
    pulse,
    spectrum,
    steadiness,
    teeth,
    warp,
)
from avdetect.cues.base import Cue
from avdetect.errors import UsageError

CUES: dict[str, Cue] = {
    cue.name: cue
    for cue in (
        blink.CUE,
        pulse.CUE,
        breathing.CUE,
        head_lips.CUE,
        lips_voice.CUE,
        warp.CUE,
        exposure.CUE,
        cooccurrence.CUE,
        spectrum.CUE,
        neurons.CUE,
        patches.CUE,
        double_compression.CUE,
        metadata.CUE,
        map_focus.CUE,
        steadiness.CUE,
        embedding_drift.CUE,
        lighting.CUE,
        eyes.CUE,
        teeth.CUE,
        phase.CUE,
        pitch_motion.CUE,
        noise_floor.CUE,
        hum.CUE,
        codec_history.CUE,
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
