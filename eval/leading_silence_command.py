"""``python -m eval leading-silence``: does the voice score live on the pause before the words?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval.answers import SOUND
from eval.errors import ManifestError
from eval.protocol import read_protocol
from eval.run.clips import read_clips, spread
from eval.shared_data import shared_root


def leading_silence(
    protocol: Annotated[str, typer.Argument(metavar="PROTOCOL", help="name, or path of a .toml")],
    data: Annotated[
        Path | None, typer.Option("--data", help="folder of the data; default $AVDETECT_DATA")
    ] = None,
    model: Annotated[str, typer.Option(help="bundle, as of avdetect --model")] = "default",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    limit: Annotated[int | None, typer.Option(min=1, help="only so many clips, spread")] = None,
    set_name: Annotated[str, typer.Option("--set", help="of the protocol; default all")] = "",
) -> None:
    """Print what silence alone would tell, and the voice branch's figures with it trimmed away."""
    # Here, so that commands without networks need not wait for them.
    from avdetect.detector import Detector
    from eval.leading_silence import silence_text, silence_trials

    frozen, root = read_protocol(protocol), data or shared_root()
    folds = frozen.sets.get(set_name)
    if set_name and folds is None:
        raise ManifestError(
            f"protocol {frozen.name}: no set {set_name!r}; there are: {', '.join(frozen.sets)}"
        )
    measured = read_clips(frozen, root).measured
    rows = [row for row in measured if SOUND.admits(row) and (not folds or row.fold in folds)]
    chosen = spread(rows, limit)
    trials = list(silence_trials(Detector.load(model, device=device), chosen, root))
    judged = [t for t in trials if t.llr is not None and t.llr_trimmed is not None]
    if len({trial.is_fake for trial in judged}) < 2:
        raise ManifestError(
            f"protocol {frozen.name}: of {len(chosen)} clips the voice branch judged "
            f"{len(judged)}, not of both classes; measure more clips with speech"
        )
    print(f"{frozen.title}: {len(chosen)} clips, {len(chosen) - len(trials)} unreadable\n")
    print(silence_text(trials))
