"""A detector whose verdicts are known, so that the command line can be held to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from avdetect.calibration import probability
from avdetect.cli import scan
from avdetect.media.source import display_path
from avdetect.types import Decision
from avdetect.verdict import Input, Verdict
from tests.report import known


class KnownDetector:
    """Judges by the file's first word: fake, real, unsure or broken; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.interrupt_at: int | None = None
        self.enrolled: list[Path] = []

    def enrol(self, source: Path) -> str:
        self.enrolled.append(source)
        return f"voice of {source.name}"

    def examine(self, source, *, progress=None, name=None, **options) -> SimpleNamespace:
        if len(self.asked) == self.interrupt_at:
            raise KeyboardInterrupt
        self.asked.append(options)
        if isinstance(source, Path):
            path, content = display_path(source), source.read_bytes()
        else:
            path, content = name, source.read()
        if progress is not None:
            progress(1.0, 2.0)
        verdict = self._verdict(path, content, options["prior_fake"])
        return SimpleNamespace(
            verdict=verdict, exhibits=known.exhibits(), bites=known.sounds(), cues=()
        )

    def scan_many(self, sources, **options) -> Iterator[Verdict]:
        return (self.examine(source, **options).verdict for source in sources)

    def _verdict(self, path: str, content: bytes, prior_fake: float) -> Verdict:
        word = content.split()[0].decode()
        if word == "broken":
            return known.failed_verdict(path)
        decision = {"fake": Decision.FAKE, "real": Decision.REAL}.get(word, Decision.INCONCLUSIVE)
        fake_llr = {"fake": 3.0, "real": -3.0}.get(word)
        return Verdict(
            input=Input(path=path, sha256=known.SHA),
            decision=decision,
            reason="because it was written in it",
            fake_llr=fake_llr,
            fake_probability=None if fake_llr is None else probability(fake_llr, prior_fake),
            prior_fake=prior_fake,
        )


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> KnownDetector:
    known_detector = KnownDetector()
    monkeypatch.setattr(scan, "_load_detector", lambda request: known_detector)
    return known_detector


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for word in ("fake", "real", "unsure", "broken"):
        (folder / f"{word}.wav").write_text(f"{word} clip")
    return folder
