"""A detector whose answers are known, and small protocols around it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avdetect.types import Decision, Segment
from avdetect.verdict import (
    BranchVerdict,
    Failure,
    Input,
    Modalities,
    TimelineEntry,
    Verdict,
)
from eval.manifest.file import write_manifest
from eval.manifest.row import ManifestRow
from tests import synth


class KnownDetector:
    """Answers by the number in the file's sound; counts what it was asked."""

    device = "known"

    def __init__(self, llrs: dict[str, float | None], *, fail_after: int | None = None):
        self.llrs, self.asked, self.fail_after = llrs, [], fail_after

    def scan_many(self, paths):
        for path in paths:
            if self.fail_after is not None and len(self.asked) == self.fail_after:
                raise KeyboardInterrupt
            self.asked.append(path)
            yield verdict(path, self.llrs[Path(path).stem])


def verdict(path: str, llr: float | None, *, seconds: float = 4.0) -> Verdict:
    """A verdict with one timeline entry a second, or one that failed."""
    if llr is None:
        return Verdict(
            input=Input(path=path),
            decision=Decision.INCONCLUSIVE,
            prior_fake=0.5,
            missing={"voice_clone": "no speech:\n0.0 s"},
            error=Failure(code="unreadable_media", message="no sound"),
        )
    return Verdict(
        input=Input(path=path, duration_s=seconds),
        decision=Decision.FAKE if llr > 0 else Decision.REAL,
        fake_llr=llr,
        fake_probability=0.5,
        prior_fake=0.5,
        branches={"voice_clone": BranchVerdict(fake_llr=llr)},
        modalities=Modalities(audio_fake=llr),
        timeline=tuple(
            TimelineEntry(start_s=s, end_s=s + 1.0, branch="voice_clone", fake_llr=llr)
            for s in np.arange(seconds)
        ),
    )


def voice_row(number: int, **changes) -> ManifestRow:
    """Odd numbers are fakes; four clips a speaker, real and fake alike."""
    fake = bool(number % 2)
    fields = {
        "id": f"pool/{number}.wav",
        "path": f"{number}.wav",
        "label": "fake" if fake else "real",
        "audio_label": "fake" if fake else "real",
        "fake_segments": (Segment(0.0, 4.0),) if fake else (),
        "speaker": f"speaker{number // 4}",
        "source": f"somebody/{number // 8}",
        "generator": ("Vocos", "Bark")[number % 4 == 1] if fake else "",
        "kind": "vocoder" if fake else "",
        "language": ("en", "de")[number // 4 % 2],
        "duration_s": 3.0 if number < 10 else 5.0,
        "split": "test",
    }
    return ManifestRow(**fields | changes)


def voice_rows(n: int = 20) -> list[ManifestRow]:
    """So many clips of one protocol."""
    return [voice_row(number) for number in range(n)]


def known_llrs(n: int = 20) -> dict[str, float | None]:
    """Better than chance, not perfect."""
    rng = np.random.default_rng(3)
    return {str(number): float((-0.6, 0.6)[number % 2] + rng.normal(0, 0.7)) for number in range(n)}


def write_protocol(folder: Path, rows, *, name: str = "small", more: str = "") -> Path:
    """A protocol file beside a manifest of these rows; the data root is ``folder``."""
    write_manifest(folder / "manifest.csv", rows)
    path = folder / f"{name}.toml"
    path.write_text(
        f'title = "A small protocol"\nmanifest = "manifest.csv"\nanswers = ["voice_clone"]\n'
        f'held_out = ["speaker"]\nconditions = ["generator", "language", "source"]\n{more}'
    )
    return path


def write_tones(folder: Path, rows) -> None:
    """A real sound file for every row."""
    for row in rows:
        sound = synth.Sound(samples=synth.tone(0.2), codec="pcm_s16le")
        synth.encode(folder / row.path, sound=sound)
