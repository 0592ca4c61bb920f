"""``avdetect defend``: a shielded copy of a picture or recording, and what that is worth."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from avdetect.cli import exit_codes
from avdetect.cli.progress import ReportProgress, progress_bar, wants_bar
from avdetect.cli.streams import own_streams
from avdetect.errors import InputError, UsageError
from avdetect.report.words import plain

if TYPE_CHECKING:
    from avdetect.defence.shield_models import Shield
    from avdetect.defence.voice_shield import Encoder

DEFEND_HELP = """Make a shielded copy of a picture of a face, or of a recording of a voice.

Face-swap and voice-cloning networks find it harder to take a likeness from the copy. It raises \
the cost of a forgery and never prevents one: purification, strong resizing or training on \
shielded material take a shield off. Keep the original; publish the copy.

\b
The square of every face keeps a PSNR of --psnr decibels, the sound an SNR of --snr decibels. \
What was measured of the shield is printed.

\b
Examples:
  avdetect defend face.jpg                         writes face.shielded.png
  avdetect defend face.jpg --out safe.jpg --psnr 38
  avdetect defend voice.wav                        writes voice.shielded.wav
  avdetect defend voice.m4a --out safe.flac --snr 30

\b
Exit codes:
  0    the copy was written
  2    wrong usage, no such place to write, or the model is missing or damaged
  3    the input cannot be shielded: unreadable, no face, no speech
"""
_LEAST_DB, _MOST_DB = 15.0, 60.0

# Does the shielding and says in words what came of it.
_Work: TypeAlias = "Callable[[ReportProgress | None], str]"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefendRequest:
    """What was asked for on the command line."""

    source: Path
    out: Path | None
    psnr_db: float
    snr_db: float
    model: str | None
    speaker_model: Path | None
    replace: bool
    quiet: bool


def defend(  # noqa: PLR0913, PLR0917  (one parameter per option)
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the copy goes: .png or .jpg, .wav or .flac; default beside the input.",
        ),
    ] = None,
    psnr: Annotated[
        float, typer.Option(metavar="DB", help="Least PSNR of a picture, in every face's square.")
    ] = 35.0,
    snr: Annotated[
        float, typer.Option(metavar="DB", help="Least signal-to-noise ratio of a recording.")
    ] = 25.0,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Shield to use; default the one at hand.")
    ] = None,
    speaker_model: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="For voices: shield from speechbrain's ECAPA-TDNN in this folder as well, else "
            "$AVDETECT_SPEAKER_MODEL.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier copy.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="One line, no bar.")] = False,
) -> None:
    """Shield one file; see `DEFEND_HELP`."""
    request = DefendRequest(
        source=file,
        out=out,
        psnr_db=psnr,
        snr_db=snr,
        model=model,
        speaker_model=speaker_model,
        replace=force,
        quiet=quiet,
    )
    raise typer.Exit(run_defend(request))


def run_defend(request: DefendRequest) -> int:
    """Shield what the input is: a photograph or a recording.

    Raises:
        AvdetectError: it cannot be read, shielded or written.
    """
    for name, value in (("--psnr", request.psnr_db), ("--snr", request.snr_db)):
        if not _LEAST_DB <= value <= _MOST_DB:
            raise UsageError(f"{name} {value:g}: between {_LEAST_DB:g} and {_MOST_DB:g} dB")
    from avdetect.media.clip import open_clip

    with open_clip(request.source) as clip:
        is_picture, has_video, has_audio = clip.is_still, clip.has_video, clip.has_audio
    if is_picture:
        return _defend_picture(request)
    if has_video:
        raise InputError(
            f"{request.source}: is a video; a picture or a recording can be shielded, no video yet"
        )
    if has_audio:
        return _defend_recording(request)
    raise InputError(f"{request.source}: holds nothing to shield")


def _defend_picture(request: DefendRequest) -> int:
    from avdetect.defence.targets import PICTURE_SUFFIXES, check_target, default_target

    target = request.out or default_target(request.source, ".png")
    check_target(target, request.source, PICTURE_SUFFIXES, replace=request.replace)
    from avdetect.defence.pictures import shield_photograph
    from avdetect.defence.shield_models import FACE_ROLE, find_shield, load_identities

    encoders, shield = load_identities(request.model or find_shield(FACE_ROLE))

    def work(progress: ReportProgress | None) -> str:
        done = shield_photograph(
            request.source,
            target,
            encoders,
            least_psnr_db=request.psnr_db,
            progress=progress,
        )
        faces = "1 face" if done.n_faces == 1 else f"{done.n_faces} faces"
        return (
            f"{faces} shielded, PSNR {_db(done.psnr_db)} of the picture, "
            f"{_db(done.least_face_psnr_db)} of the face changed most"
        )

    return _run(request, target, shield, work)


def _defend_recording(request: DefendRequest) -> int:
    from avdetect.defence.targets import SOUND_SUFFIXES, check_target, default_target

    target = request.out or default_target(request.source, ".wav")
    check_target(target, request.source, SOUND_SUFFIXES, replace=request.replace)
    from avdetect.defence.recordings import shield_recording
    from avdetect.defence.shield_models import VOICE_ROLE, find_shield

    encoders, shield = _encoders(request.model or find_shield(VOICE_ROLE), request.speaker_model)

    def work(progress: ReportProgress | None) -> str:
        done = shield_recording(
            request.source,
            target,
            encoders,
            least_snr_db=request.snr_db,
            progress=progress,
        )
        clipped = f", {done.n_clipped} samples clipped" if done.n_clipped else ""
        return f"{done.shielded_s:.1f} s shielded, SNR {_db(done.snr_db)}{clipped}"

    return _run(request, target, shield, work)


def _encoders(name: str, speaker_model: Path | None) -> tuple[list[Encoder], Shield]:
    """The shield's own encoders, and speechbrain's where its weights are given."""
    from functools import partial

    import torch

    from avdetect.defence.shield_models import load_speakers
    from avdetect.defence.speaker_features import embed
    from avdetect.speech.speaker import SpeakerModel

    nets, shield = load_speakers(name)
    encoders: list[Encoder] = [partial(embed, net) for net in nets]
    named = speaker_model or os.environ.get("AVDETECT_SPEAKER_MODEL")
    if named:
        encoders.append(SpeakerModel.load(Path(named), torch.device("cpu")).embed_tensor)
    return encoders, shield


def _run(request: DefendRequest, target: Path, shield: Shield, work: _Work) -> int:
    with own_streams(), ExitStack() as stack:
        show: ReportProgress | None = None
        if wants_bar(quiet=request.quiet):
            show = stack.enter_context(progress_bar(str(request.source), "shield"))
        result = work(show)
    typer.echo(plain(f"{target}: {result}"))
    if not request.quiet:
        typer.echo(plain(f"Shield {shield.name}. Measured of it in general, not of this file:"))
        for claim in shield.claims:
            typer.echo(plain(f"  {claim}"))
        typer.echo(plain(f"Limits: {shield.limits}"))
    return exit_codes.OK


def _db(value: float) -> str:
    return "without bound" if math.isinf(value) else f"{value:.1f} dB"
