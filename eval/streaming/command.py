"""``python -m eval stream-agreement`` and ``stream-bench``."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Annotated

import typer

from eval.answers import SOUND
from eval.errors import ManifestError
from eval.protocol import read_protocol
from eval.run.clips import read_clips, spread
from eval.shared_data import shared_root

_SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "call_synthetic.wav"


def stream_agreement(
    protocol: Annotated[str, typer.Argument(metavar="PROTOCOL")] = "voice",
    limit: Annotated[int, typer.Option(min=1, help="clips, spread over the protocol")] = 50,
    data: Annotated[
        Path | None, typer.Option("--data", help="folder of the data; default $AVDETECT_DATA")
    ] = None,
    model: Annotated[str, typer.Option(help="bundle, as of avdetect --model")] = "default",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
) -> None:
    """Stream clips through four codecs and scan the same sound: print how far scores lie apart."""
    # Here, so that commands without networks need not wait for them.
    from avdetect.detector import Detector
    from eval.streaming.agreement import AGREED_LLR, agreement_text, agreement_trials

    root = data or shared_root()
    rows = [row for row in read_clips(read_protocol(protocol), root).measured if SOUND.admits(row)]
    paths = [root / (row.audio_path or row.path) for row in spread(rows, limit)]
    trials = list(agreement_trials(Detector.load(model, device=device), paths))
    if not trials:
        raise ManifestError(f"protocol {protocol}: no clip of it can be read under {root}")
    print(agreement_text(trials))
    if any(trial.apart is not None and trial.apart > AGREED_LLR for trial in trials):
        raise typer.Exit(1)


def stream_bench(
    calls: Annotated[str, typer.Option(help="numbers of calls at once")] = "1,4,8,16,24,32",
    seconds: Annotated[float, typer.Option(min=10, help="of every number")] = 60.0,
    clip: Annotated[Path, typer.Option(help="a clip with speech, its first channel")] = _SAMPLE,
    model: Annotated[str, typer.Option(help="bundle, as of avdetect --model")] = "default",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
) -> None:
    """Hold calls in real time and print how late their judgements come."""
    from avdetect.detector import Detector
    from eval.streaming.load import load_text, run_calls
    from eval.streaming.telephone import ulaw_of

    detector, sound = Detector.load(model, device=device), ulaw_of(clip)
    run_calls(detector, sound, 1, 10.0)  # the first judgement pays for what is loaded late
    n_cores = len(os.sched_getaffinity(0))
    print(f"{n_cores} cores ({platform.machine()}), device {detector.device}, {seconds:g} s each\n")
    print(load_text([run_calls(detector, sound, int(n), seconds) for n in calls.split(",")]))
