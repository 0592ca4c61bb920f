"""``python -m eval attacks``: how our own detector fares under attack."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from eval.answers import PICTURE, SOUND, Question
from eval.attacks.trial import Trial
from eval.manifest.row import ManifestRow
from eval.shared_data import shared_root

RESULTS = Path(__file__).resolve().parents[1] / "results" / "attacks"
_FACES, _VOICES = 32, 16  # items of a run of less than ten minutes on one core
_FACE_QUERIES, _VOICE_QUERIES = 50, 12
_SCORES, _FIGURES = "trials.csv", "results.json"


def attacks(  # noqa: PLR0913, PLR0917  (one parameter per option)
    data: Annotated[
        Path | None, typer.Option("--data", help="folder of the data; default $AVDETECT_DATA")
    ] = None,
    model: Annotated[str, typer.Option(help="bundle, as of avdetect --model")] = "default",
    limit: Annotated[
        int | None, typer.Option(min=4, help="faces and voices at most, half of them fake")
    ] = None,
    face_queries: Annotated[
        int, typer.Option(min=1, help="budget of a black-box attack on a face")
    ] = _FACE_QUERIES,
    voice_queries: Annotated[
        int, typer.Option(min=1, help="budget of a black-box attack on a voice")
    ] = _VOICE_QUERIES,
    out: Annotated[Path, typer.Option(help="folder for trials and figures")] = RESULTS,
    print_only: Annotated[
        bool, typer.Option("--print", help="print again what is in --out, without attacking")
    ] = False,
) -> None:
    """Attack the shipped face and voice branches and print robust accuracy and AUC.

    By gradient (FGSM, PGD), by queries alone, and by laundering through real codecs, resizing,
    blur, noise and re-recording; fakes are pushed to look real, real clips to look fake. On clips
    that nothing was trained or calibrated on, at the shipped calibration.
    """
    import torch

    from avdetect.checkpoint import read_bundle
    from eval.attacks.tables import as_json, attacks_table, figures_of
    from eval.attacks.trial import read_trials, write_trials

    torch.set_num_threads(1)
    bundle = read_bundle(model)
    if not print_only:
        root = data or shared_root()
        found = chain(
            _face_trials(bundle.checkpoints["visual_forgery"], root, limit, face_queries),
            _voice_trials(bundle.checkpoints["voice_clone"], root, limit, voice_queries),
        )
        write_trials(out / _SCORES, list(found))
    trials = read_trials(out / _SCORES)
    figures = figures_of(trials, bundle.rule())
    if not print_only:
        text = json.dumps({"model": bundle.checkpoints, "figures": as_json(figures)}, indent=1)
        (out / _FIGURES).write_text(text + "\n", "utf-8")
    print(attacks_table(figures))


def balanced(
    rows: Sequence[ManifestRow], question: Question, limit: int
) -> tuple[ManifestRow, ...]:
    """Half real and half fake, each spread evenly over the table."""
    from eval.run.clips import spread

    sides = [[r for r in rows if question.is_fake(r) == fake] for fake in (False, True)]
    return tuple(row for side in sides for row in spread(side, limit // 2))


def _face_trials(checkpoint: str, root: Path, limit: int | None, n_queries: int) -> Iterator[Trial]:
    from avdetect.checkpoint import load_checkpoint
    from eval.attacks.faces import FaceJudge, attack_faces, read_faces

    rows = balanced(_measured("video", PICTURE, root), PICTURE, limit or _FACES)
    judge = FaceJudge(load_checkpoint(checkpoint))
    items = list(read_faces(rows, root))
    yield from _told("faces", len(items), attack_faces(items, judge, n_queries))


def _voice_trials(
    checkpoint: str, root: Path, limit: int | None, n_queries: int
) -> Iterator[Trial]:
    from avdetect.checkpoint import load_checkpoint
    from eval.attacks.voices import VoiceAttackJudge, attack_voices, read_voices

    rows = balanced(_measured("voice", SOUND, root), SOUND, limit or _VOICES)
    judge = VoiceAttackJudge(load_checkpoint(checkpoint))
    items = list(read_voices(rows, root))
    yield from _told("voices", len(items), attack_voices(items, judge, n_queries))


def _measured(protocol: str, question: Question, root: Path) -> list[ManifestRow]:
    """Clips that nothing shipped was trained or calibrated on and whose truth is known."""
    from eval.protocol import read_protocol
    from eval.run.clips import read_clips

    return [r for r in read_clips(read_protocol(protocol), root).measured if question.admits(r)]


def _told(what: str, n_items: int, trials: Iterable[Trial]) -> Iterator[Trial]:
    """Say on standard error which item is under attack."""
    seen: dict[str, None] = {}
    for trial in trials:
        if trial.id not in seen:
            seen[trial.id] = None
            typer.echo(f"{what}: {len(seen)} of {n_items}", err=True)
        yield trial
