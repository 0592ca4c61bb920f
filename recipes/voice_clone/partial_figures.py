"""How well a word put into a call is found: calls of unseen speakers, one second of each forged.

python -m recipes.voice_clone.partial_figures --model NAME    # or --run RUN, of runs/voice_clone

A call is 30 s of one speaker's clips joined end to end, repeated where they last less. In one
stretch of about a second the voice is forged, by kinds that training met or by kinds and vocoders
that it never met. Its counterpart is joined at the same places and unforged.
"""

from __future__ import annotations

import argparse
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import numpy as np
import torch

from avdetect.branches.base import FrameScores
from avdetect.branches.voice_clone import VoiceCloneBranch, build_voice_clone
from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import high_pass
from avdetect.localise import Stretch, find_stretches, shown_stretches
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Segment
from eval.bootstrap import bootstrap_intervals
from eval.manifest.row import ManifestRow
from eval.metrics.localisation import AP_IOUS, LocalisationFigures, Proposal, localisation
from eval.protocol import read_protocol
from recipes.datasets.voices import is_fake, read_waveform
from recipes.forge.pairs import Families, TwinMaker
from recipes.forge.partial import compose_call
from recipes.voice_clone.evaluate import add_model_options, hear, named_checkpoint, send
from recipes.voice_clone.rows import PROTOCOL, voice_rows
from recipes.voice_clone.settings import CONFIG, read_settings
from recipes.voice_clone.twins import forgers

_CALL_S = 30.0
_INSERTED_S = 1.0
_LEAST_SPEAKER_S = 10.0
_IOU = 0.5
_CHANNELS = ("clean", "ulaw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A composed call and its counterpart; (S,) float32 at 16 kHz each."""

    speaker: str
    family: str
    kind: str
    spoof: Waveform
    bona_fide: Waveform
    forged: Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in one call, surest first; ``forged`` is None of a bona fide one.

    Attributes:
        speaker: whose call it is.
        family: of the forger.
        forged: what is to be found.
        stretches: all candidates.
        n_shown: of them, how many a verdict would show.
    """

    speaker: str
    family: str
    forged: Segment | None
    stretches: Sequence[Stretch]
    n_shown: int


def speakers_clips(
    rows: Sequence[ManifestRow], folds: Sequence[str], least_s: float = _LEAST_SPEAKER_S
) -> dict[str, list[ManifestRow]]:
    """Human clips of the folds' speakers with enough of them, by speaker."""
    protocol = read_protocol(PROTOCOL)
    sources = {source for fold in folds for source in protocol.folds[fold]}
    clips: dict[str, list[ManifestRow]] = defaultdict(list)
    for row in rows:
        if row.source in sources and not is_fake(row):
            clips[row.person].append(row)
    return {
        speaker: found
        for speaker, found in sorted(clips.items())
        if sum(row.duration_s or 0.0 for row in found) >= least_s
    }


def compose_calls(
    clips: dict[str, list[ManifestRow]], families: Families, n_calls: int
) -> Iterator[Call]:
    """Calls of every speaker; the same rows give the same calls."""
    make = TwinMaker(families)
    for speaker, rows in clips.items():
        waveforms = [high_pass(read_waveform(row)) for row in rows]
        for number in range(n_calls):
            rng = np.random.default_rng([zlib.crc32(speaker.encode()), number])
            family, kind = make.draw_kind(rng)
            order = cycle(rng.permutation(len(waveforms)).tolist())
            chosen = [waveforms[next(order)] for _ in waveforms]
            while sum(map(len, chosen)) < _CALL_S * SAMPLE_RATE_HZ + len(waveforms[0]):
                chosen.append(waveforms[next(order)])
            call = compose_call(
                chosen, families[family][kind], rng, inserted_s=_INSERTED_S, total_s=_CALL_S
            )
            yield Call(
                speaker=speaker,
                family=family,
                kind=kind,
                spoof=call.waveform,
                bona_fide=call.bona_fide,
                forged=call.segments[0],
            )


def listen(branch: VoiceCloneBranch, waveform: Waveform) -> list[FrameScores]:
    """Scores of frames, by observation."""
    return [output.frames for output in hear(branch, waveform) if output.frames is not None]


def hear_calls(branch: VoiceCloneBranch, calls: Sequence[Call], channel: str) -> list[Found]:
    """Every call and its counterpart, as recorded or through a codec."""
    found = []
    for call in calls:
        for sound, truth in ((call.spoof, call.forged), (call.bona_fide, None)):
            frames = listen(branch, send(sound, channel))
            found.append(
                Found(
                    speaker=call.speaker,
                    family=call.family,
                    forged=truth,
                    stretches=find_stretches(frames),
                    n_shown=len(shown_stretches(frames)),
                )
            )
    return found


def located(found: Sequence[Found], ap_ious: Sequence[float] = AP_IOUS) -> LocalisationFigures:
    """AP and AR by the definitions of AV-Deepfake1M, over forged and bona fide calls together."""
    names = [str(number) for number in range(len(found))]
    proposals = {
        name: [Proposal(s.score, s.segment) for s in call.stretches]
        for name, call in zip(names, found, strict=True)
    }
    truth = {
        name: [] if call.forged is None else [call.forged]
        for name, call in zip(names, found, strict=True)
    }
    return localisation(proposals, truth, ap_ious=ap_ious)


def average_precision(found: Sequence[Found]) -> float:
    """AP at an IoU of 0.5."""
    return located(found, (_IOU,)).ap[_IOU]


def boundary_error(found: Sequence[Found]) -> float:
    """Median over forged calls of how far both edges of the surest stretch are off, seconds.

    A call in which nothing is found counts as off by its whole length.
    """
    errors = []
    for call in found:
        if call.forged is not None:
            best = call.stretches[0].segment if call.stretches else Segment(0.0, _CALL_S)
            off = abs(best.start_s - call.forged.start_s) + abs(best.end_s - call.forged.end_s)
            errors.append(off / 2)
    return float(np.median(errors))


def false_stretches(found: Sequence[Found]) -> float:
    """Stretches that a verdict would show of a bona fide call, mean."""
    return float(np.mean([call.n_shown for call in found if call.forged is None]))


def hits_by_family(found: Sequence[Found]) -> dict[str, tuple[int, int]]:
    """Calls whose surest stretch hits at an IoU of 0.5, and calls, by family of the forger."""
    table = {}
    for family in sorted({call.family for call in found}):
        forged = [c for c in found if c.family == family and c.forged is not None]
        hits = [average_precision([replace(c, stretches=c.stretches[:1])]) for c in forged]
        table[family] = (round(sum(hits)), len(forged))
    return table


_FIGURES = {
    "AP@0.5": average_precision,
    "boundary error, s": boundary_error,
    "false stretches": false_stretches,
}


def figures(found: Sequence[Found]) -> dict[str, tuple[float, float, float]]:
    """Each figure with its 95 % interval over speakers."""

    def of(figure: Any) -> Any:
        return lambda _, numbers: figure([found[int(number)] for number in numbers])

    intervals = bootstrap_intervals(
        {name: of(figure) for name, figure in _FIGURES.items()},
        [int(call.forged is not None) for call in found],
        np.arange(len(found)),
        [call.speaker for call in found],
        n=300,
    )
    return {name: (figure(found), *intervals[name]) for name, figure in _FIGURES.items()}


def report(branch: VoiceCloneBranch, clips: dict[str, list[ManifestRow]], per_speaker: int) -> None:
    """Print the table: forgers met and unmet, as recorded and by telephone."""
    met, _, unmet = forgers(read_settings(CONFIG).forging)
    for name, families in {"met in training": met, "never met": unmet}.items():
        calls = list(compose_calls(clips, families, per_speaker))
        kinds = ", ".join(sorted({call.kind for call in calls}))
        print(f"\nforgers {name}: {len(calls)} calls of {len(clips)} speakers, as many bona fide")
        print(f"    {kinds}")
        for channel in _CHANNELS:
            heard = hear_calls(branch, calls, channel)
            for figure, (value, low, high) in figures(heard).items():
                print(f"    {channel:6s} {figure:18s} {value:.3f} [{low:.3f}, {high:.3f}]")
            whole = located(heard)
            for name, values in (("AP@", whole.ap), ("AR@", whole.ar)):
                line = ", ".join(f"{name}{key:g} {value:.3f}" for key, value in values.items())
                print(f"    {channel:6s} {line}")
            for family, (hits, n_calls) in hits_by_family(heard).items():
                print(f"    {channel:6s} {hits} of {n_calls} found, forged by {family}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_options(parser, which="best")
    parser.add_argument("--calls", type=int, default=2, help="of each speaker and set of forgers")
    parser.add_argument(
        "--development", action="store_true", help="speakers of the development fold instead"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = named_checkpoint(given)
    folds = (
        [read_settings(CONFIG).development_fold]
        if given.development
        else read_protocol(PROTOCOL).roles["test"]
    )
    branch = build_voice_clone(checkpoint, torch.device("cpu"))
    print(f"{checkpoint.card.name}: calls of {_CALL_S:g} s, about {_INSERTED_S:g} s of each forged")
    report(branch, speakers_clips(voice_rows(), folds), given.calls)


if __name__ == "__main__":
    main()
