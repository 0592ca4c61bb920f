"""``python -m eval reference-figures``: what is the similarity to a reference voice worth?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def reference_figures(
    speaker_model: Annotated[
        Path,
        typer.Option(
            envvar="AVDETECT_SPEAKER_MODEL",
            help="folder of speechbrain's ECAPA-TDNN, as for avdetect scan --reference",
        ),
    ],
    lines: Annotated[
        str, typer.Option(help="codecs that the clips pass, the references do not; with commas")
    ] = "ulaw,amr_7.4,opus_12",
) -> None:
    """Hold human clips against others of the same person, of other people, and against clones."""
    # Here, so that other commands need not wait for a network to load.
    import torch

    from avdetect.speech.speaker import SpeakerModel
    from eval.reference_figures import reference_table

    model = SpeakerModel.load(speaker_model, torch.device("cpu"))
    print(f"Speaker model {model.name}, SHA-256 {model.sha256}\n")
    for line in reference_table(model, [name for name in lines.split(",") if name]):
        print(line, flush=True)
