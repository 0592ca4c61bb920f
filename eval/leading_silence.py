"""Does a voice score live on the pause before the first word?

In FakeAVCeleb and AV-Deepfake1M the length of the leading silence alone tells fakes from real clips
(Smeu et al. 2025), in ASVspoof 2019 it nearly does (Müller et al. 2021). Here the same data is
asked three questions: what a detector of silence alone would reach, what the voice branch reaches
with and without the silence around the speech, and whether its LLR follows the silence.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from avdetect.channels.silence import leading_silence_s
from avdetect.detector import Detector
from avdetect.errors import InputError, UnreadableMediaError
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.verdict import Verdict
from eval.answers import SOUND
from eval.bootstrap import bootstrap_interval
from eval.manifest.row import ManifestRow
from eval.metrics import auc
from eval.run.files import clean_file

_BRANCH = "voice_clone"
_FEWEST_TO_CORRELATE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The sound of a clip as decoded.

    Attributes:
        native: (C, S) float32 at ``rate_hz``.
        rate_hz: samples a second.
        leading_s, trailing_s: silence before the first and behind the last sound, by the mean of
            the channels at 16 kHz.
    """

    native: NDArray[np.float32]
    rate_hz: int
    leading_s: float
    trailing_s: float

    def trimmed(self) -> NDArray[np.float32]:
        """The samples without the silence around them."""
        last = self.native.shape[1] - round(self.trailing_s * self.rate_hz)
        return self.native[:, round(self.leading_s * self.rate_hz) : last]


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceTrial:
    """One clip, scored as it is and without the silence around it.

    Attributes:
        id: of the manifest row.
        is_fake: truth of its sound.
        person: whose trials are resampled together.
        leading_s: silence before the first sound.
        llr, llr_trimmed: ``fake_llr`` of the voice branch before and after; None: it abstained.
    """

    id: str
    is_fake: bool
    person: str
    leading_s: float
    llr: float | None
    llr_trimmed: float | None


def read_sound(path: Path) -> Sound:
    """Decode the sound of a file.

    Raises:
        InputError: there is no sound, or the engine would refuse the file.
    """
    with open_clip(path) as clip:
        chunks = [c for c in clip.chunks(want_video=False) if isinstance(c, AudioChunk)]
    if not chunks:
        raise UnreadableMediaError(f"{path}: there is no sound in it")
    waveform = np.concatenate([chunk.waveform for chunk in chunks], axis=1).mean(axis=0)
    return Sound(
        native=np.concatenate([chunk.native for chunk in chunks], axis=1),
        rate_hz=chunks[0].native_rate_hz,
        leading_s=leading_silence_s(waveform),
        trailing_s=leading_silence_s(waveform[::-1]),
    )


def silence_trials(
    detector: Detector, rows: Iterable[ManifestRow], root: Path
) -> Iterator[SilenceTrial]:
    """Score every row whose sound is known to be real or fake; unreadable ones are left out."""
    for row in rows:
        if not SOUND.admits(row):
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="avdetect-silence-") as folder:
                sound = read_sound(clean_file(row, root, Path(folder)))
        except (OSError, ValueError, IndexError, InputError):
            continue
        sources = [(sound.native, sound.rate_hz), (sound.trimmed(), sound.rate_hz)]
        before, after = (_voice_llr(verdict) for verdict in detector.scan_many(sources))
        yield SilenceTrial(
            id=row.id,
            is_fake=SOUND.is_fake(row),
            person=row.person,
            leading_s=sound.leading_s,
            llr=before,
            llr_trimmed=after,
        )


def silence_text(trials: Sequence[SilenceTrial]) -> str:
    """The figures of a set of trials, as Markdown.

    Raises:
        ValueError: one class only.
    """
    both = [t for t in trials if t.llr is not None and t.llr_trimmed is not None]
    silence = [-trial.leading_s for trial in trials]
    before, after = [float(t.llr or 0.0) for t in both], [float(t.llr_trimmed or 0.0) for t in both]
    shifts = np.abs(np.subtract(after, before))
    medians = [
        f"{np.median([t.leading_s for t in trials if t.is_fake == fake]):.2f} s"
        for fake in (False, True)
    ]
    n_before = sum(trial.llr is not None for trial in trials)
    n_after = sum(trial.llr_trimmed is not None for trial in trials)
    lines = [
        "| figure | value |",
        "| --- | --- |",
        f"| clips (real, fake) | {_count(trials, False)}, {_count(trials, True)} |",
        f"| median leading silence (real, fake) | {', '.join(medians)} |",
        f"| AUC of leading silence alone (0.5: tells nothing) | {_auc(trials, silence)} |",
        f"| judged as they are, and trimmed | {n_before}, {n_after} of {len(trials)} |",
        f"| AUC as they are (judged both ways) | {_auc(both, before)} |",
        f"| AUC without the silence around the speech | {_auc(both, after)} |",
        f"| LLR shift by trimming: median, 95 % of clips | {np.median(shifts):.2f}, "
        f"{np.quantile(shifts, 0.95):.2f} |",
        f"| LLR against leading silence, Spearman, real clips | {_follows(both, fake=False)} |",
        f"| LLR against leading silence, Spearman, fake clips | {_follows(both, fake=True)} |",
    ]
    return "\n".join(lines)


def _voice_llr(verdict: Verdict) -> float | None:
    branch = verdict.branches.get(_BRANCH)
    return branch.fake_llr if branch is not None else None


def _count(trials: Sequence[SilenceTrial], fake: bool) -> int:
    return sum(trial.is_fake == fake for trial in trials)


def _auc(trials: Sequence[SilenceTrial], scores: Sequence[float]) -> str:
    labels = [int(trial.is_fake) for trial in trials]
    value = f"{auc(labels, scores):.3f}"
    try:
        low, high = bootstrap_interval(auc, labels, scores, [trial.person for trial in trials])
    except ValueError:  # too few persons for an interval
        return value
    return f"{value} [{low:.3f}, {high:.3f}]"


def _follows(trials: Sequence[SilenceTrial], *, fake: bool) -> str:
    chosen = [t for t in trials if t.is_fake == fake]
    silence, llr = [t.leading_s for t in chosen], [t.llr for t in chosen]
    if len(chosen) < _FEWEST_TO_CORRELATE or len(set(silence)) == 1 or len(set(llr)) == 1:
        return "not defined"
    found = spearmanr(silence, llr)
    return f"{found.statistic:+.2f} (p {found.pvalue:.2g}, {len(chosen)} clips)"
