"""Live calls beside scans of the same sound, through codecs: the score, and when it stood firm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.sound_levels import SOUND_LEVELS
from avdetect.detector import Detector
from avdetect.errors import InputError
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.session import StreamSession
from avdetect.streaming.updates import LiveJudgement, LiveVerdict
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Decision

CODECS = ("ulaw", "g722", "amr_12.2", "opus_12")
AGREED_LLR = 0.2
STOP_AT = 0.99
_PACKET_BYTES = 640  # 20 ms of 16-bit samples at 16 kHz


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementTrial:
    """One call through one codec, streamed and scanned.

    Attributes:
        codec: name of the level.
        streamed, scanned: fake LLR of the two at the end; None where not judged.
        decision: of the scan.
        first_speech_s: seconds of speech at the first judgement, None without one.
        stopped_speech_s: seconds of speech at which a live call would have been judged for good.
        stopped_decision: the decision it would have been.
    """

    codec: str
    streamed: float | None
    scanned: float | None
    decision: Decision
    first_speech_s: float | None
    stopped_speech_s: float | None
    stopped_decision: Decision | None

    @property
    def apart(self) -> float | None:
        """How far the two LLRs lie apart, None where neither was judged; infinite where one was."""
        if self.streamed is None and self.scanned is None:
            return None
        if self.streamed is None or self.scanned is None:
            return float("inf")
        return abs(self.streamed - self.scanned)


def agreement_trials(
    detector: Detector, paths: Iterable[Path], codecs: Sequence[str] = CODECS
) -> Iterator[AgreementTrial]:
    """Every readable clip's first channel through every codec."""
    for number, path in enumerate(paths):
        try:
            sound = _first_channel(path)
        except InputError:
            continue
        for codec in codecs:
            rng = np.random.default_rng([number, *codec.encode()])
            level = SOUND_LEVELS[codec].sound
            degraded = sound if level is None else level(sound, rng)
            samples = np.clip(np.round(degraded * 32768), -32768, 32767).astype("<i2")
            yield _trial(detector, samples, codec)


def _trial(detector: Detector, samples: NDArray[np.int16], codec: str) -> AgreementTrial:
    options = StreamOptions(encoding="s16le", rate_hz=SAMPLE_RATE_HZ)
    session, data = StreamSession(detector, options), samples.tobytes()
    judged = [
        update
        for begin in range(0, len(data), _PACKET_BYTES)
        for update in session.push(data[begin : begin + _PACKET_BYTES])
        if isinstance(update, LiveJudgement)
    ]
    (last,) = session.finish()
    assert isinstance(last, LiveVerdict)
    verdict = detector.scan((samples, SAMPLE_RATE_HZ), cues="none")
    stopped = next((j for j in judged if (j.confidence or 0.0) >= STOP_AT), None)
    return AgreementTrial(
        codec=codec,
        streamed=last.verdict.fake_llr,
        scanned=verdict.fake_llr,
        decision=verdict.decision,
        first_speech_s=judged[0].speech_s if judged else None,
        stopped_speech_s=None if stopped is None else stopped.speech_s,
        stopped_decision=None if stopped is None else stopped.decision,
    )


def agreement_text(trials: Sequence[AgreementTrial]) -> str:
    """A table by codec, and what stopping early would have cost."""
    lines = [
        f"| codec | calls | judged | LLR apart, largest | within {AGREED_LLR} |",
        "|---|---|---|---|---|",
    ]
    for codec in dict.fromkeys(trial.codec for trial in trials):
        own = [trial for trial in trials if trial.codec == codec]
        apart = [trial.apart for trial in own if trial.apart is not None]
        within = sum(value <= AGREED_LLR for value in apart)
        largest = f"{max(apart):.6f}" if apart else ""
        lines.append(f"| {codec} | {len(own)} | {len(apart)} | {largest} | {within} |")
    return "\n".join([*lines, "", *_stopping_lines(trials)])


def _stopping_lines(trials: Sequence[AgreementTrial]) -> list[str]:
    first = [t.first_speech_s for t in trials if t.first_speech_s is not None]
    stopped = [t for t in trials if t.stopped_speech_s is not None]
    lines = []
    if first:
        lines.append(f"First judgement: after {np.median(first):.1f} s of speech (median).")
    if stopped:
        kept = sum(t.stopped_decision is t.decision for t in stopped)
        speech_s = np.median([t.stopped_speech_s for t in stopped if t.stopped_speech_s])
        lines.append(
            f"Confidence {STOP_AT} reached in {len(stopped)} of {len(trials)} calls, after "
            f"{speech_s:.1f} s of speech (median); the decision then was that of the whole call in "
            f"{kept} of them."
        )
    return lines


def _first_channel(path: Path) -> NDArray[np.float32]:
    """(S,) float32 at 16 kHz."""
    with open_clip(path) as clip:
        chunks = clip.chunks(want_video=False)
        parts = [chunk.waveform[0] for chunk in chunks if isinstance(chunk, AudioChunk)]
    return np.concatenate(parts)
