"""``python -m eval seal-figures``: does a seal tell edits from re-encoding, and where they are?"""

from __future__ import annotations

import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Half(StrEnum):
    """Which sources: those on which thresholds were chosen, or the others."""

    DEV = "dev"
    TEST = "test"


def seal_figures(
    n: Annotated[int, typer.Option("--n", min=1, help="files of each condition")] = 100,
    half: Annotated[
        Half, typer.Option(help="sources never looked at, or those tuned on")
    ] = Half.TEST,
    seed: Annotated[int, typer.Option(help="of the edits")] = 1,
    scenes: Annotated[int, typer.Option(min=2, help="scenes of each medium, at most")] = 12,
    medium: Annotated[
        list[str] | None, typer.Option(help="sound, picture or both; default all three")
    ] = None,
) -> None:
    """Seal real clips, copy, remux, re-encode and edit them; print what verifying makes of each."""
    # Here, so that commands without codecs need not wait for them.
    import numpy as np

    from eval.sealing.figures import measure
    from eval.sealing.scenes import silent_copy, spoken_scenes, talking_scenes
    from eval.sealing.tables import figures_text

    talking = talking_scenes(half.value, scenes)
    media = {
        "both": talking,
        "sound": spoken_scenes(half.value, scenes),
        "picture": [silent_copy(scene) for scene in talking],
    }
    media = {name: group for name, group in media.items() if not medium or name in medium}
    with tempfile.TemporaryDirectory(prefix="avdetect-seals-") as folder:
        figures = measure(
            media,
            Path(folder),
            n=n,
            rng=np.random.default_rng(seed),
            progress=lambda words: print(words, file=sys.stderr, flush=True),
        )
    sources = {scene.source for group in media.values() for scene in group}
    print(
        f"Seals: {half.value} half, {sum(map(len, media.values()))} scenes of "
        f"{len(sources)} sources\n"
    )
    print(figures_text(figures))
