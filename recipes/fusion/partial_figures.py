"""Whether frame scores find a forged second of a video: each branch alone, and all together.

python -m recipes.fusion.partial_figures [--clips 2]

Of every real clip of a person never trained on, about a second is forged: its face, its voice, what
is spoken, the mouth, or two of these. The unforged clip, through the same picture codec, is judged
beside it. Faces and synchrony are read against the rest of their clip (`avdetect.localise`);
together, a moment is forged if any branch finds it so, as clips are judged.
Chance is the same proposals against truth of the same length put anywhere in the clip.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from avdetect.branches.base import FRAME_S, BranchOutput, FrameScores
from avdetect.branches.lip_sync import LipSyncBranch
from avdetect.branches.visual_forgery import VisualForgeryBranch, build_visual_forgery
from avdetect.branches.voice_clone import VoiceCloneBranch, build_voice_clone
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.fusion.subjects import FACE, SYNC, VOICE
from avdetect.localise import placed
from recipes.datasets.talking_heads import TalkingHeadClip
from recipes.forge.picture_channel import h264
from recipes.forge.timing import foreign_speech
from recipes.forge.voices import VOCODERS, forge_twin
from recipes.fusion.variants import forge_faces_by_chance, observations
from recipes.lip_sync import partial_figures as lip_sync
from recipes.lip_sync.partial_figures import Forge, Judged, KeepingHead, forgeries, long_clips

TOGETHER = "together"
_FORGED_FRAMES = (20, 31)
_PICTURE_CRF = 23
RealScores = Mapping[str, Mapping[str, FrameScores]]
ByReader = dict[str, list[Judged]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """What scores frames: the branches, and the synchrony head that keeps its frames."""

    voice: VoiceCloneBranch
    face: VisualForgeryBranch
    sync: LipSyncBranch
    head: KeepingHead

    @classmethod
    def of_bundle(cls) -> Readers:
        """Those of the default bundle."""
        names, cpu = read_bundle().checkpoints, torch.device("cpu")
        sync, head = lip_sync.build(load_checkpoint(names[SYNC]))
        return cls(
            voice=build_voice_clone(load_checkpoint(names[VOICE]), cpu),
            face=build_visual_forgery(load_checkpoint(names[FACE]), cpu),
            sync=sync,
            head=head,
        )

    def read(self, clip: TalkingHeadClip) -> dict[str, FrameScores]:
        """Scores of frames by branch, those that judged it, and all together."""
        seen = list(observations(clip))
        mismatch = lip_sync.frame_scores(self.sync, self.head, clip)
        found = {
            VOICE: _frames(self.voice.run(seen)),
            FACE: _frames(self.face.run(seen)),
            SYNC: [] if mismatch is None else [replace(mismatch, relative=True)],
        }
        judged = {name: placed(frames) for name, frames in found.items() if frames}
        return judged | ({TOGETHER: any_forged(judged)} if judged else {})


def _frames(said: Sequence[Sequence[BranchOutput]]) -> list[FrameScores]:
    return [out.frames for outputs in said for out in outputs if out.frames is not None]


def any_forged(found: Mapping[str, FrameScores]) -> FrameScores:
    """Logarithm of the mean of the branches' ratios, frame by frame, over those that judged it."""
    last_s = max(float(frames.segments[-1, 1]) for frames in found.values())
    n = round(last_s / FRAME_S) + 1
    ratios, weights, judges = np.zeros(n), np.zeros(n), np.zeros(n)
    for frames in found.values():
        usable = np.asarray(frames.weights > 0)
        index = np.floor(frames.segments.mean(1) / FRAME_S).astype(int)[usable]
        count = np.bincount(index, minlength=n)
        total = np.bincount(index, frames.scores[usable], minlength=n)
        weight = np.bincount(index, frames.weights[usable], minlength=n)
        seen = count > 0
        ratios[seen] += np.exp(np.clip(total[seen] / count[seen], -30.0, 30.0))
        weights[seen] = np.maximum(weights[seen], weight[seen] / count[seen])
        judges[seen] += 1
    kept = np.flatnonzero(judges)
    return FrameScores(
        segments=np.asarray(np.stack([kept, kept + 1], 1) * FRAME_S, np.float64),
        scores=np.log(ratios[kept] / judges[kept]).astype(np.float32),
        weights=weights[kept].astype(np.float32),
    )


def with_forged_face(
    clip: TalkingHeadClip, other: TalkingHeadClip, start: int, stop: int
) -> TalkingHeadClip:
    """A forged face from frame ``start`` to ``stop``."""
    del other
    forged = forge_faces_by_chance(clip, _random(clip, start))
    inside = (clip.face_index >= start) & (clip.face_index < stop)
    return replace(clip, faces=np.where(inside[:, None, None, None], forged, clip.faces))


def with_cloned_voice(
    clip: TalkingHeadClip, other: TalkingHeadClip, start: int, stop: int
) -> TalkingHeadClip:
    """Its own words through a vocoder from frame ``start`` to ``stop``."""
    del other
    rng = _random(clip, start)
    twin = forge_twin(clip.audio, str(rng.choice(sorted(VOCODERS))), rng)
    return replace(clip, audio=foreign_speech(clip.audio, twin, start, stop).sound)


def _random(clip: TalkingHeadClip, start: int) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{clip.file} {start}".encode()))


def with_face_and_speech(
    clip: TalkingHeadClip, other: TalkingHeadClip, start: int, stop: int
) -> TalkingHeadClip:
    """A forged face and another person's words in the same second."""
    spoken = lip_sync.with_foreign_word(clip, other, start, stop)
    return with_forged_face(spoken, other, start, stop)


FORGERS: dict[str, Forge] = {
    "cloned voice": with_cloned_voice,
    "forged face": with_forged_face,
    **lip_sync.FORGERS,
    "forged face, foreign speech": with_face_and_speech,
}


def through_codec(clip: TalkingHeadClip) -> TalkingHeadClip:
    """Its face crops as a video has them, so that forged ones are no cleaner than true ones."""
    coded = [h264(face, _PICTURE_CRF, predicted=True) for face in clip.faces]
    return replace(clip, faces=np.stack(coded))


def judge(readers: Readers, real: RealScores, forge: Forge, per_clip: int) -> ByReader:
    """By reader, forged clips and their counterparts; the same clips give the same forgeries.

    Args:
        readers: what scores frames.
        real: scores of the unforged clips, see `read_real`.
        forge: how a stretch is forged.
        per_clip: forgeries of each clip.
    """
    found: ByReader = {}
    for forgery in forgeries(forge, per_clip, _FORGED_FRAMES):
        true, spoof = real[forgery.clip.file], readers.read(through_codec(forgery.spoof))
        for name in spoof.keys() & true.keys():
            found.setdefault(name, []).extend(
                (forgery.judged(spoof[name], forgery.forged), forgery.judged(true[name], None))
            )
    return found


def read_real(readers: Readers) -> RealScores:
    """Scores of every unforged clip through the codec, by file and reader."""
    return {clip.file: readers.read(through_codec(clip)) for _, clip in long_clips()}


def more_figures(found: Sequence[Judged]) -> str:
    """AP at all overlaps and AR at all counts, in a line."""
    figures = lip_sync.located(found)
    precise = ", ".join(f"AP@{iou:g} {ap:.3f}" for iou, ap in figures.ap.items())
    recalled = ", ".join(f"AR@{n} {ar:.3f}" for n, ar in figures.ar.items())
    return f"    {precise}; {recalled}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=2, help="forgeries of each clip and kind")
    given = parser.parse_args()
    torch.set_num_threads(1)
    readers = Readers.of_bundle()
    real = read_real(readers)
    for kind, forge in FORGERS.items():
        for name, found in sorted(judge(readers, real, forge, given.clips).items()):
            lip_sync.report(f"{kind}, {name}", found)
            print(more_figures(found), flush=True)


if __name__ == "__main__":
    main()
