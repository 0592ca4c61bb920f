"""What the branch says where sound and picture do not belong together and nothing is forged.

python -m recipes.lip_sync.wild [--model NAME]

Real clips of people never trained on, under sounds that are not theirs alone, and faces that hardly
speak under another's voice. Said fake: the branch's own LLR would carry a decision at even odds.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.branches.lip_sync import LipSyncBranch, build_lip_sync
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.timebase import SAMPLE_RATE_HZ, SAMPLES_PER_FRAME
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import TalkingHeadClip, load_clip
from recipes.lip_sync.fakes import clip_score
from recipes.lip_sync.observations import observations_of

Sound = NDArray[np.float32]
_LEVEL = 0.05
_LEAST_DONOR_S = 4.0
_HARDLY_SPEAKS = "little or no speech"


def talkers() -> list[TalkingHeadClip]:
    """Real measured clips with sound in synchrony."""
    rows = [r for r in video_split()[1] if r["label"] == "real" and r["has_audio"] == "yes"]
    return _loaded([row for row in rows if not row["note"]])


def listeners() -> list[TalkingHeadClip]:
    """Faces with expressions and hardly any speech."""
    return _loaded([row for row in video_split()[0] if _HARDLY_SPEAKS in row["note"]])


def levelled(sound: Sound) -> Sound:
    """At one root mean square."""
    return np.asarray(sound * _LEVEL / (np.sqrt(np.mean(np.square(sound))) + 1e-6), np.float32)


def crowd(
    voices: Sequence[Sound], n_voices: int, n_samples: int, rng: np.random.Generator
) -> Sound:
    """Several voices at once, at the level of one."""
    chosen = rng.permutation(len(voices))[:n_voices]
    return levelled(np.sum([np.resize(voices[index], n_samples) for index in chosen], 0))


def chords(n_samples: int, rng: np.random.Generator) -> Sound:
    """Music of a kind: a struck chord every half second."""
    beat_s = np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ
    beats: list[NDArray[np.float64]] = []
    for _ in range(n_samples // len(beat_s) + 1):
        root_hz = 110 * 2 ** (rng.integers(0, 12) / 12)
        partials = [np.sin(2 * np.pi * root_hz * m * beat_s) / m for m in (1, 1.26, 1.5, 2, 3)]
        beats.append(np.sum(partials, 0) * np.exp(-2 * beat_s))
    return levelled(np.concatenate(beats)[:n_samples].astype(np.float32))


def report(
    name: str, branch: LipSyncBranch, calibration: Calibration, clips: Sequence[TalkingHeadClip]
) -> None:
    """Print how many are judged, said fake, and why the others are not judged."""
    log_odds = read_bundle().rule().fake_log_odds
    llrs, reasons = [], Counter[str]()
    for clip in clips:
        score, missing, _ = clip_score(branch, observations_of(clip))
        if score is None:
            reasons[missing or ""] += 1
        else:
            llrs.append(calibration.fake_llr(score))
    n_fake = sum(llr >= log_odds for llr in llrs)
    print(f"{name}: {len(clips)} clips, {len(llrs)} judged, {n_fake} said fake")
    for reason, count in reasons.most_common():
        print(f"    {count} x {reason}")


def report_all(branch: LipSyncBranch, calibration: Calibration) -> None:
    """Print one block per condition; the same data give the same figures."""
    rng, people = np.random.default_rng(0), talkers()
    voices = [levelled(c.audio) for c in people if len(c.audio) > _LEAST_DONOR_S * SAMPLE_RATE_HZ]

    def under(clips: Sequence[TalkingHeadClip], sounds: Sequence[Sound]) -> list[TalkingHeadClip]:
        return [replace(clip, audio=sound) for clip, sound in zip(clips, sounds, strict=True)]

    lengths = [(int(clip.frame_index[-1]) + 1) * SAMPLES_PER_FRAME for clip in people]
    own = [np.resize(levelled(clip.audio), n) for clip, n in zip(people, lengths, strict=True)]
    crowds = [crowd(voices, 12, n, rng) for n in lengths]
    music = [chords(n, rng) for n in lengths]
    quiet = listeners()
    narrators = [
        np.resize(voices[index % len(voices)], (int(clip.frame_index[-1]) + 1) * SAMPLES_PER_FRAME)
        for index, clip in enumerate(quiet)
    ]
    conditions = {
        "their own speech": people,
        "faces that hardly speak, under another's voice": under(quiet, narrators),
        "a crowd of twelve alone": under(people, crowds),
        "their own speech, the crowd 5 dB below": under(
            people, [a + 0.56 * b for a, b in zip(own, crowds, strict=True)]
        ),
        "music alone": under(people, music),
        "their own speech, music 5 dB below": under(
            people, [a + 0.56 * b for a, b in zip(own, music, strict=True)]
        ),
    }
    for name, clips in conditions.items():
        report(name, branch, calibration, clips)


def _loaded(rows: Sequence[Row]) -> list[TalkingHeadClip]:
    clips = [load_clip(row["file"]) for row in rows]
    return [clip for clip in clips if len(clip.frame_index)]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=read_bundle("default").checkpoints["lip_sync"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = load_checkpoint(given.model)
    if checkpoint.calibration is None:
        raise SystemExit(f"{given.model} lacks its calibration: run recipes.fusion.calibrate first")
    report_all(build_lip_sync(checkpoint, torch.device("cpu")), checkpoint.calibration)


if __name__ == "__main__":
    main()
