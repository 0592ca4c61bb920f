"""`Detector`: load once, scan many. The page to read second, after types.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import torch

from avdetect.branches import BRANCHES
from avdetect.branches.base import Branch
from avdetect.calibration import Calibration
from avdetect.checkpoint import Bundle, Checkpoint, load_checkpoint, read_bundle
from avdetect.decision import DecisionRule
from avdetect.errors import CheckpointError, UsageError
from avdetect.fusion.cross_attention import CrossAttentionFusion
from avdetect.fusion.late import LateFusion
from avdetect.gallery import Gallery
from avdetect.judgement import Judges
from avdetect.media.source import SourceLike
from avdetect.observation import Observation
from avdetect.options import ScanOptions
from avdetect.scan import Examination, Progress, Scan
from avdetect.verdict import Model, Verdict

__all__ = ["Detector", "Examination", "ScanOptions"]

_CLIPS_AT_ONCE = {"cpu": 2, "cuda": 16}


class Detector:
    """Judges clips. Thread-safe; holds the networks and nothing about any clip.

    Example:
        >>> detector = Detector.load()
        >>> verdict = detector.scan("call.wav")
        >>> verdict.decision, verdict.fake_llr
    """

    def __init__(self, bundle: Bundle, judges: Judges, device: torch.device) -> None:
        self.bundle = bundle
        self.device = device.type
        self._judges = judges

    @classmethod
    def load(cls, model: str = "default", *, device: str = "auto") -> Detector:
        """Load a bundle of models.

        Args:
            model: a bundle's name or the path of its TOML file.
            device: ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``.

        Raises:
            CheckpointError: a model is absent, damaged or of another layout.
            UsageError: no such device.
        """
        where = _torch_device(device)
        bundle = read_bundle(model)
        loaded = {role: load_checkpoint(name) for role, name in bundle.checkpoints.items()}
        return cls(bundle, _build_judges(bundle, loaded, where), where)

    @property
    def model_ids(self) -> tuple[Model, ...]:
        """Checkpoints in use, with their hashes."""
        return self._judges.models

    def scan(self, source: SourceLike, **options: Any) -> Verdict:
        """Judge one clip.

        Args:
            source: a path, bytes, a binary file object, or ``(samples, rate_hz)``.
            options: see `ScanOptions`.

        Returns:
            The verdict. An input that cannot be judged gives one with ``error`` set.

        Raises:
            UsageError: the options make no sense.
        """
        return next(self.scan_many([source], **options))

    def scan_many(self, sources: Iterable[SourceLike], **options: Any) -> Iterator[Verdict]:
        """Judge clips in batches; yields one verdict per input, in their order.

        An input that cannot be judged yields a verdict with ``error`` set and never ends the loop.
        """
        settings = ScanOptions(**options)
        pending = iter(sources)
        while group := list(islice(pending, _CLIPS_AT_ONCE[self.device])):
            scans = [Scan(source, settings) for source in group]
            self._advance_all(scans)
            for scan in scans:
                yield scan.verdict(self._judges)

    def examine(
        self, source: SourceLike, *, progress: Progress | None = None, **options: Any
    ) -> Examination:
        """Judge one clip and keep what a report shows.

        Args:
            source: as for `scan`.
            progress: called with seconds done and seconds in all (None where unknown).
            options: see `ScanOptions`.
        """
        scan = Scan(source, ScanOptions(**options), gallery=Gallery(), progress=progress)
        self._advance_all([scan])
        verdict = scan.verdict(self._judges)
        return scan.examination(verdict)

    def _advance_all(self, scans: Sequence[Scan]) -> None:
        try:
            with ThreadPoolExecutor(max_workers=len(scans)) as pool:
                # All clips move one observation at a time, so that a batch holds one of each.
                active = list(scans)
                while active:
                    step = list(pool.map(Scan.observe_next, active))
                    ready = [(s, o) for s, o in zip(active, step, strict=True) if o is not None]
                    self._judge_step(ready)
                    active = [scan for scan, _ in ready]
        finally:  # after the pool: a scan cannot be closed while a thread still reads it
            for scan in scans:
                scan.close()

    def _judge_step(self, ready: Sequence[tuple[Scan, Observation]]) -> None:
        observations = [observation for _, observation in ready]
        if not observations:
            return
        outputs = {name: b.run(observations) for name, b in self._judges.branches.items()}
        for index, (scan, observation) in enumerate(ready):
            scan.add(observation, {name: found[index] for name, found in outputs.items()})


def _torch_device(device: str) -> torch.device:
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"device is {device!r}: use auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("device is cuda, but torch finds no GPU here: use auto or cpu")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def _build_judges(bundle: Bundle, loaded: Mapping[str, Checkpoint], device: torch.device) -> Judges:
    absent = {*BRANCHES, "cross_attention", "late"} - set(loaded)
    if absent:
        raise CheckpointError(f"bundle {bundle.name} names no {', '.join(sorted(absent))}")
    branches: dict[str, Branch] = {
        name: build(loaded[name], device) for name, build in BRANCHES.items()
    }
    calibrations: dict[str, Calibration] = {}
    for name in branches:
        calibration = loaded[name].calibration
        if calibration is None:
            raise CheckpointError(f"{loaded[name].card.name}: the branch lacks its calibration")
        calibrations[name] = calibration
    late = LateFusion.from_checkpoint(loaded["late"])
    return Judges(
        branches=branches,
        calibrations=calibrations,
        fusion=CrossAttentionFusion.from_checkpoint(
            loaded["cross_attention"], late, calibrations, device
        ),
        rule=DecisionRule(**bundle.decision),
        models=tuple(
            Model(id=checkpoint.card.name, sha256=checkpoint.card.weights_sha256)
            for checkpoint in loaded.values()
        ),
    )
