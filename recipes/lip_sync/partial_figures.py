"""Whether frame scores find a word that is not the mouth's: real clips with one stretch forged.

python -m recipes.lip_sync.partial_figures [--model NAME] [--clips 2]

Of every real clip of a person never trained on, about a second is forged: another's speech in place
of the clip's own, or the mouth of another moment. Its unforged counterpart is judged beside it.
Chance is the same proposals against truth of the same length put anywhere in the clip.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.branches.base import FRAME_S, FrameScores
from avdetect.branches.lip_sync import LipSyncBranch
from avdetect.branches.sync_encoders import build_encoder
from avdetect.checkpoint import Checkpoint, load_checkpoint, read_bundle
from avdetect.localise import Stretch, find_stretches, shown_stretches
from avdetect.nn.sync_head import ConsistencyHead
from avdetect.timebase import FRAME_RATE_HZ, SAMPLES_PER_FRAME
from avdetect.types import Segment
from eval.bootstrap import bootstrap_interval
from eval.metrics.localisation import AP_IOUS, LocalisationFigures, Proposal, localisation
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import TalkingHeadClip, load_clip
from recipes.forge.timing import displaced_mouth, foreign_speech
from recipes.lip_sync.observations import observations_of

_LEAST_CLIP_S, _FORGED_FRAMES = 3.0, (15, 31)
_IOU = 0.5
_CHANCE_DRAWS = 20
_PER_FRAME = round(1 / FRAME_RATE_HZ / FRAME_S)


class KeepingHead(ConsistencyHead):
    """The head, which remembers the frame logits that the branch does not use."""

    def __init__(self, *, embedding: int, width: int) -> None:
        super().__init__(embedding=embedding, width=width)
        self.kept: list[Tensor] = []

    def forward(
        self, mouth: Tensor, speech: Tensor, heard: Tensor, offset: Tensor, detail: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As `ConsistencyHead.forward`."""
        score, frames, token = super().forward(mouth, speech, heard, offset, detail)
        self.kept.append(frames.detach().cpu())
        return score, frames, token


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One clip.

    Attributes:
        group: identity, else source.
        seconds: its length.
        forged: what is to be found; None in a real one.
        stretches: all candidates, surest first.
        shown: of them, those that a verdict would show.
    """

    group: str
    seconds: float
    forged: Segment | None
    stretches: Sequence[Stretch]
    shown: Sequence[Stretch]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """A real clip, the same with one stretch forged, and where that is.

    Attributes:
        group: identity, else source.
        clip: the real one.
        spoof: the forged one.
        forged: the stretch.
    """

    group: str
    clip: TalkingHeadClip
    spoof: TalkingHeadClip
    forged: Segment

    def judged(self, frames: FrameScores, truth: Segment | None) -> Judged:
        """What frame scores find in the forged clip, or in the real one if ``truth`` is None."""
        return Judged(
            group=self.group,
            seconds=len(self.clip.frame_index) / FRAME_RATE_HZ,
            forged=truth,
            stretches=find_stretches([frames]),
            shown=shown_stretches([frames]),
        )


def build(checkpoint: Checkpoint) -> tuple[LipSyncBranch, KeepingHead]:
    """The branch with a head that keeps its frames."""
    config = checkpoint.card.config
    encoder = build_encoder(config)
    head = KeepingHead(embedding=int(config["embedding"]), width=int(config["head_width"]))
    for name, module in (("encoder.", encoder), ("head.", head)):
        own = {k.removeprefix(name): v for k, v in checkpoint.state.items() if k.startswith(name)}
        module.load_state_dict(own, strict=True)
    return LipSyncBranch(encoder, head, torch.device("cpu")), head


def frame_scores(
    branch: LipSyncBranch, head: KeepingHead, clip: TalkingHeadClip
) -> FrameScores | None:
    """Mean frame logit of all windows that hold a frame, less the clip's median; None if absent."""
    length = int(clip.frame_index[-1]) + 1
    total, count = np.zeros(length), np.zeros(length)
    for observation in observations_of(clip):
        head.kept.clear()
        outputs = [o for o in branch.run([observation])[0] if o.missing is None]
        if not outputs:
            continue
        frames = torch.cat(head.kept)[: len(outputs[0].segments)].numpy()  # the rest is padding
        firsts = np.rint(outputs[0].segments[:, 0] * FRAME_RATE_HZ).astype(int)
        for first, row in zip(firsts, frames, strict=True):
            total[first : first + len(row)] += row
            count[first : first + len(row)] += 1
    seen = np.flatnonzero(count)
    if not len(seen):
        return None
    mean = total[seen] / count[seen]
    starts = (seen[:, None] * _PER_FRAME + np.arange(_PER_FRAME)).ravel() * FRAME_S
    scores = np.repeat(mean - np.median(mean), _PER_FRAME)
    return FrameScores(
        segments=np.stack([starts, starts + FRAME_S], 1),
        scores=scores.astype(np.float32),
        weights=np.ones(len(scores), np.float32),
    )


Forge = Callable[[TalkingHeadClip, TalkingHeadClip, int, int], TalkingHeadClip]


def with_foreign_word(
    clip: TalkingHeadClip, other: TalkingHeadClip, start: int, stop: int
) -> TalkingHeadClip:
    """Another person's speech from frame ``start`` to ``stop``."""
    donor = other.audio[len(other.audio) // 4 :]
    return replace(clip, audio=foreign_speech(clip.audio, donor, start, stop).sound)


def with_moved_mouth(
    clip: TalkingHeadClip, other: TalkingHeadClip, start: int, stop: int
) -> TalkingHeadClip:
    """The mouth of a second and a half later from frame ``start`` to ``stop``."""
    del other
    n = len(clip.frame_index)
    chosen = displaced_mouth(n, start, min(stop, n), 37).blend.argmax(1)
    return replace(clip, mouths=clip.mouths[chosen], landmarks=clip.landmarks[chosen])


FORGERS: dict[str, Forge] = {
    "foreign speech": with_foreign_word,
    "moved mouth": with_moved_mouth,
}


def long_clips() -> list[tuple[Row, TalkingHeadClip]]:
    """Real measured clips in synchrony, of one unbroken face, long enough."""
    found = []
    for row in video_split()[1]:
        if row["label"] != "real" or row["has_audio"] != "yes" or row["note"]:
            continue
        clip = load_clip(row["file"])
        frames = clip.frame_index
        unbroken = len(frames) and int(frames[-1]) - int(frames[0]) + 1 == len(frames)
        if unbroken and frames[0] == 0 and len(frames) >= _LEAST_CLIP_S * FRAME_RATE_HZ:
            kept = clip.audio[: len(frames) * SAMPLES_PER_FRAME]
            found.append((row, replace(clip, audio=kept)))
    return found


def forgeries(forge: Forge, per_clip: int, n_frames: tuple[int, int]) -> Iterator[Forgery]:
    """Every long clip with one stretch forged, ``per_clip`` times; the same each time it is asked.

    Args:
        forge: how.
        per_clip: forgeries of each clip.
        n_frames: least length of a stretch, and the first that is too long.
    """
    rng, clips = np.random.default_rng(0), long_clips()
    for number, (row, clip) in enumerate(clips):
        group = row["identity"] or row["source_repo"]
        others = [c for r, c in clips if (r["identity"] or r["source_repo"]) != group]
        for _ in range(per_clip):
            length = int(rng.integers(*n_frames))
            start = int(rng.integers(5, len(clip.frame_index) - length - 5))
            other = others[(number + int(rng.integers(len(others)))) % len(others)]
            yield Forgery(
                group=group,
                clip=clip,
                spoof=forge(clip, other, start, start + length),
                forged=Segment(start / FRAME_RATE_HZ, (start + length) / FRAME_RATE_HZ),
            )


def judge(branch: LipSyncBranch, head: KeepingHead, forge: Forge, per_clip: int) -> list[Judged]:
    """Forged clips and their counterparts; the same clips give the same forgeries."""
    return [
        forgery.judged(frames, truth)
        for forgery in forgeries(forge, per_clip, _FORGED_FRAMES)
        for clip, truth in ((forgery.spoof, forgery.forged), (forgery.clip, None))
        if (frames := frame_scores(branch, head, clip)) is not None
    ]


def located(found: Sequence[Judged], ap_ious: Sequence[float] = AP_IOUS) -> LocalisationFigures:
    """AP and AR by the definitions of AV-Deepfake1M, over forged clips and real ones together."""
    named = {str(number): one for number, one in enumerate(found)}
    return localisation(
        {
            name: [Proposal(s.score, s.segment) for s in one.stretches]
            for name, one in named.items()
        },
        {name: [] if one.forged is None else [one.forged] for name, one in named.items()},
        ap_ious=ap_ious,
    )


def average_precision(found: Sequence[Judged]) -> float:
    """AP at an IoU of 0.5."""
    return located(found, (_IOU,)).ap[_IOU]


def elsewhere(found: Sequence[Judged], rng: np.random.Generator) -> list[Judged]:
    """The same with each truth moved to a random place of its clip."""
    moved = []
    for one in found:
        if one.forged is not None:
            start_s = float(rng.uniform(0.2, one.seconds - one.forged.duration_s - 0.2))
            one = replace(one, forged=Segment(start_s, start_s + one.forged.duration_s))
        moved.append(one)
    return moved


def shown_figures(found: Sequence[Judged]) -> tuple[int, float]:
    """Forged clips in which a shown stretch meets the forged one, and false ones a real minute."""
    hits = sum(
        any(stretch.segment.overlap(one.forged) is not None for stretch in one.shown)
        for one in found
        if one.forged is not None
    )
    real = [one for one in found if one.forged is None]
    return hits, 60 * sum(len(one.shown) for one in real) / sum(one.seconds for one in real)


def report(name: str, found: Sequence[Judged]) -> None:
    """Print AP with its interval over identities, and chance."""

    def figure(_: object, numbers: NDArray[np.float64]) -> float:
        return average_precision([found[int(number)] for number in numbers])

    labels = [int(one.forged is not None) for one in found]
    groups = [one.group for one in found]
    low, high = bootstrap_interval(figure, labels, np.arange(len(found)), groups, n=300)
    rng = np.random.default_rng(1)
    chance = [average_precision(elsewhere(found, rng)) for _ in range(_CHANCE_DRAWS)]
    n_forged, (hits, false_a_minute) = sum(labels), shown_figures(found)
    print(
        f"{name}: AP@{_IOU:g} {average_precision(found):.3f} [{low:.3f}, {high:.3f}], chance "
        f"{np.mean(chance):.3f} (highest of {_CHANCE_DRAWS} draws {max(chance):.3f}), "
        f"{n_forged} forged and {len(labels) - n_forged} real, {len(set(groups))} people"
    )
    print(
        f"    a verdict would show a stretch that meets the forged one in {hits} of {n_forged}, "
        f"and {false_a_minute:.1f} false ones in a minute of real video"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=read_bundle("default").checkpoints["lip_sync"])
    parser.add_argument("--clips", type=int, default=2, help="forgeries of each clip and kind")
    given = parser.parse_args()
    torch.set_num_threads(1)
    branch, head = build(load_checkpoint(given.model))
    for name, forge in FORGERS.items():
        report(name, judge(branch, head, forge, given.clips))


if __name__ == "__main__":
    main()
