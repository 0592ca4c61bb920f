"""`Detector`: load once, scan many. The page to read second, after types.py."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from avdetect.branches import BRANCHES
from avdetect.branches.base import Branch
from avdetect.branches.visual_forgery import VisualForgeryBranch
from avdetect.calibration import Calibration
from avdetect.checkpoint import Bundle, Checkpoint, load_checkpoint, read_bundle
from avdetect.cues import CUES
from avdetect.cues.base import CueTools
from avdetect.cues.worth import NO_WORTHS, read_worths
from avdetect.errors import CheckpointError, UsageError
from avdetect.fusion.cross_attention import CrossAttentionFusion
from avdetect.fusion.late_rules import load_late
from avdetect.gallery import Gallery
from avdetect.judgement import Judges, run_branches
from avdetect.media.source import SourceLike
from avdetect.observation import Observation
from avdetect.options import ScanOptions
from avdetect.reference import EnrolledVoice, enrol
from avdetect.scan import Examination, Progress, Scan
from avdetect.sightings import Sightings
from avdetect.speech.speaker import WEIGHTS, SpeakerModel
from avdetect.verdict import Model, Verdict

__all__ = ["Detector", "EnrolledVoice", "Examination", "ScanOptions"]

_CLIPS_AT_ONCE = {"cpu": 2, "cuda": 16}

Reference = SourceLike | EnrolledVoice


class Detector:
    """Judges clips. Thread-safe; holds the networks and nothing about any clip.

    Example:
        >>> detector = Detector.load()
        >>> verdict = detector.scan("call.wav")
        >>> verdict.decision, verdict.fake_llr
    """

    def __init__(
        self,
        bundle: Bundle,
        judges: Judges,
        device: torch.device,
        speaker_folder: Path | None = None,
    ) -> None:
        self.bundle = bundle
        self.device = device.type
        self._judges = judges
        self._speaker_folder = speaker_folder

    @classmethod
    def load(
        cls,
        model: str = "default",
        *,
        device: str = "auto",
        speaker_model: str | os.PathLike[str] | None = None,
    ) -> Detector:
        """Load a bundle of models.

        Args:
            model: a bundle's name or the path of its TOML file.
            device: ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``.
            speaker_model: folder of speechbrain's ECAPA-TDNN, for reference voices alone; default
                ``$AVDETECT_SPEAKER_MODEL``, else what the bundle names.

        Raises:
            CheckpointError: a model is absent, damaged or of another layout.
            UsageError: no such device.
        """
        where = _torch_device(device)
        bundle = read_bundle(model)
        loaded = {role: load_checkpoint(name) for role, name in bundle.checkpoints.items()}
        return cls(
            bundle,
            _build_judges(bundle, loaded, where),
            where,
            _speaker_folder(speaker_model, bundle),
        )

    @property
    def model_ids(self) -> tuple[Model, ...]:
        """Checkpoints in use, with their hashes."""
        return self._judges.models

    @property
    def judges(self) -> Judges:
        """What turns observations into verdicts, for callers that observe by themselves."""
        return self._judges

    def enrol(self, source: SourceLike) -> EnrolledVoice:
        """Hear a recording of one voice once, to compare many clips with it.

        Args:
            source: as for `scan`; of a video the sound alone is read.

        Raises:
            UsageError: it cannot be read, has no sound, or holds voices on two channels.
            CheckpointError: the speaker model is damaged or another network. That there is none is
                no error: the finding will say so.
        """
        folder = self._speaker_folder
        if folder is not None and SpeakerModel.is_in(folder):
            return enrol(source, self._speaker_model)
        where = "" if folder is None else f" in {folder} ({WEIGHTS})"
        return enrol(
            source,
            None,
            no_model=f"no speaker model{where}: point --speaker-model or $AVDETECT_SPEAKER_MODEL "
            "at a folder of speechbrain/spkrec-ecapa-voxceleb",
        )

    def scan(
        self, source: SourceLike, *, reference: Reference | None = None, **options: Any
    ) -> Verdict:
        """Judge one clip.

        Args:
            source: a path, bytes, a binary file object, or ``(samples, rate_hz)``.
            reference: a recording of the person who is said to speak, or what `enrol` made of it;
                the comparison stands beside the verdict and changes nothing in it.
            options: see `ScanOptions`.

        Returns:
            The verdict. An input that cannot be judged gives one with ``error`` set.

        Raises:
            UsageError: the options make no sense, or the reference cannot be used.
        """
        return next(self.scan_many([source], reference=reference, **options))

    def scan_many(
        self,
        sources: Iterable[SourceLike],
        *,
        reference: Reference | None = None,
        **options: Any,
    ) -> Iterator[Verdict]:
        """Judge clips in batches; yields one verdict per input, in their order.

        An input that cannot be judged yields a verdict with ``error`` set and never ends the loop.
        """
        settings = ScanOptions(**options)
        enrolled = self._enrolled(reference)
        pending = iter(sources)
        while group := list(islice(pending, _CLIPS_AT_ONCE[self.device])):
            scans = [Scan(source, settings, enrolled=enrolled) for source in group]
            self._advance_all(scans)
            for scan in scans:
                yield scan.verdict(self._judges)

    def examine(
        self,
        source: SourceLike,
        *,
        reference: Reference | None = None,
        progress: Progress | None = None,
        explain: bool = True,
        sightings: bool = False,
        **options: Any,
    ) -> Examination:
        """Judge one clip and keep what a report shows.

        Args:
            source: as for `scan`.
            reference: as for `scan`.
            progress: called with seconds done and seconds in all (None where unknown).
            explain: find out what of the most suspicious sound carries its score; takes
                what the voice branch takes for ten minutes of sound, however long the clip.
            sightings: remember where each face is, for
                `avdetect.report.evidence_video.write_evidence_video`; 5 kB a second of each face.
            options: see `ScanOptions`.
        """
        seen = Sightings(self._judges.calibrations["visual_forgery"]) if sightings else None
        scan = Scan(
            source,
            ScanOptions(**options),
            gallery=Gallery(seen),
            progress=progress,
            enrolled=self._enrolled(reference),
        )
        self._advance_all([scan])
        verdict = scan.verdict(self._judges)
        return scan.examination(verdict, self._judges if explain else None)

    def advance(self, scans: Sequence[Scan], pool: Executor) -> list[Scan]:
        """Observe and judge the next stretch of every clip, all in one batch.

        For callers with clips that come and go, such as a service; `scan_many` is made of it.

        Args:
            scans: clips under way; all move one observation at a time: a batch holds one of each.
            pool: where they are decoded side by side.

        Returns:
            Those that are not at their end yet; `conclude` gives the verdicts of the others.
        """
        step = list(pool.map(Scan.observe_next, scans))
        ready = [(s, o) for s, o in zip(scans, step, strict=True) if o is not None]
        self._judge_step(ready)
        return [scan for scan, _ in ready]

    def conclude(self, scan: Scan) -> Verdict:
        """The verdict on a clip that `advance` brought to its end."""
        return scan.verdict(self._judges)

    @cached_property
    def _speaker_model(self) -> SpeakerModel | None:
        folder = self._speaker_folder
        return SpeakerModel.load(folder, torch.device(self.device)) if folder else None

    def _enrolled(self, reference: Reference | None) -> EnrolledVoice | None:
        if reference is None or isinstance(reference, EnrolledVoice):
            return reference
        return self.enrol(reference)

    def _advance_all(self, scans: Sequence[Scan]) -> None:
        try:
            with ThreadPoolExecutor(max_workers=len(scans)) as pool:
                active = list(scans)
                while active:
                    active = self.advance(active, pool)
        finally:  # after the pool: a scan cannot be closed while a thread still reads it
            for scan in scans:
                scan.close()

    def _judge_step(self, ready: Sequence[tuple[Scan, Observation]]) -> None:
        if not ready:
            return
        outputs = run_branches(self._judges.branches, [observation for _, observation in ready])
        for (scan, observation), found in zip(ready, outputs, strict=True):
            scan.add(observation, found, self._judges.tools)


def _speaker_folder(chosen: str | os.PathLike[str] | None, bundle: Bundle) -> Path | None:
    named = chosen or os.environ.get("AVDETECT_SPEAKER_MODEL") or bundle.speaker_model
    return Path(named) if named else None


def _torch_device(device: str) -> torch.device:
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"device is {device!r}: use auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("device is cuda, but torch finds no GPU here: use auto or cpu")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def _build_judges(bundle: Bundle, loaded: Mapping[str, Checkpoint], device: torch.device) -> Judges:
    absent = {*BRANCHES, "late"} - set(loaded)
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
    fusion = _build_fusion(bundle, loaded, branches, calibrations, device)
    face = branches["visual_forgery"]
    network = face.network if isinstance(face, VisualForgeryBranch) else None
    return Judges(
        branches=branches,
        calibrations=calibrations,
        fusion=fusion,
        rule=bundle.rule(),
        models=tuple(
            Model(id=checkpoint.card.name, sha256=checkpoint.card.weights_sha256)
            for checkpoint in loaded.values()
        ),
        worths=read_worths(loaded["cues"], CUES) if "cues" in loaded else NO_WORTHS,
        tools=CueTools(face_network=network, device=device),
    )


def _build_fusion(
    bundle: Bundle,
    loaded: Mapping[str, Checkpoint],
    branches: Mapping[str, Branch],
    calibrations: dict[str, Calibration],
    device: torch.device,
) -> CrossAttentionFusion:
    late = load_late(loaded["late"])
    if "cross_attention" not in loaded:
        return CrossAttentionFusion.late_alone(late, calibrations, device)
    checkpoint = loaded["cross_attention"]
    fusion = CrossAttentionFusion.from_checkpoint(checkpoint, late, calibrations, device)
    for name, width in fusion.token_widths.items():
        if branches[name].token_width != width:
            raise CheckpointError(
                f"bundle {bundle.name}: {checkpoint.card.name} was trained with tokens of {width} "
                f"numbers of {name}, {loaded[name].card.name} gives {branches[name].token_width}: "
                "train a fusion with it (recipes/fusion), or leave cross_attention out of "
                "[checkpoints] and the late rule decides alone"
            )
    return fusion
