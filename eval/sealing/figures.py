"""The figures of sealing: edits found and where, re-encoding told from editing, false alarms."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from avdetect.provenance.seal import Seal
from avdetect.provenance.sealing import make_seal
from avdetect.provenance.verification import FindingKind, SealFinding, Verification
from avdetect.provenance.verifying import verify_file
from eval.sealing.codings import (
    OTHER_CODINGS,
    REMUXED_SUFFIXES,
    SEALED_CODINGS,
    Coding,
    write_scene,
)
from eval.sealing.edits import (
    GRID_S,
    Edit,
    Truth,
    apply,
    donated,
    edits_for,
    heard_truth,
    random_truth,
)
from eval.sealing.scenes import Scene, read_frames, read_samples
from eval.sealing.splice import Piece, splice

TOLERANCE_S = 0.5

_KIND = {Edit.CUT: FindingKind.CUT, Edit.INSERT: FindingKind.INSERTED}


@dataclass(frozen=True, slots=True)
class Trial:
    """One edited file and what verifying said."""

    group: str
    medium: str
    scene: str
    truth: Truth
    verification: Verification

    @property
    def kind(self) -> FindingKind:
        """What ought to be found."""
        return _KIND.get(self.truth.edit, FindingKind.ALTERED)

    @property
    def errors_s(self) -> tuple[float, float] | None:
        """How far start and end of the best finding are off; None where none has the kind."""
        right = [f for f in self.verification.findings if f.kind is self.kind]
        if not right:
            return None
        return min((self._errors_s(finding) for finding in right), key=max)

    @property
    def is_found(self) -> bool:
        """Whether start and end are within the tolerance."""
        return self.errors_s is not None and max(self.errors_s) <= TOLERANCE_S

    @property
    def n_false(self) -> int:
        """Findings that lie outside the edit, the tolerance apart."""
        return sum(not self._touches(finding) for finding in self.verification.findings)

    def _errors_s(self, finding: SealFinding) -> tuple[float, float]:
        if self.truth.edit is Edit.INSERT:
            start_s, end_s = finding.file_start_s, finding.file_end_s
            true_s = self.truth.file_s
        else:
            start_s, end_s = finding.sealed_start_s, finding.sealed_end_s
            true_s = self.truth.sealed_s
        return abs((start_s or 0.0) - true_s[0]), abs((end_s or 0.0) - true_s[1])

    def _touches(self, finding: SealFinding) -> bool:
        if finding.sealed_start_s is None or finding.sealed_end_s is None:
            return False
        true_s = self.truth.sealed_s
        return (
            finding.sealed_start_s >= true_s[0] - TOLERANCE_S
            and finding.sealed_end_s <= true_s[1] + TOLERANCE_S
        )


@dataclass(slots=True)
class Figures:
    """All trials of one measuring."""

    edits: list[Trial] = field(default_factory=list)
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def note(self, condition: str, verification: Verification, what: str) -> None:
        """Count an outcome of a file that nobody edited."""
        self.outcomes.setdefault(condition, Counter())[verification.outcome.value] += 1
        if verification.findings:
            self.failures.append(f"{condition}, {what}: {verification.findings[0].text}")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed scene on disk."""

    scene: Scene
    medium: str
    coding: Coding
    path: Path
    seal: Seal


def measure(
    scenes: dict[str, list[Scene]],
    folder: Path,
    *,
    n: int,
    rng: np.random.Generator,
    progress: Callable[[str], None],
) -> Figures:
    """Seal, copy, remux, re-encode and edit ``n`` times each.

    Args:
        scenes: by medium: ``sound``, ``picture``, ``both``.
        folder: to work in.
        n: files of each of the five conditions.
        rng: draws edits.
        progress: told what is being done.
    """
    sealed = _sealed_scenes(scenes, folder)
    figures = Figures()
    for number, each in enumerate(islice(cycle(sealed), n)):
        progress(f"copies, remuxed and re-encoded files {number + 1} of {n}")
        _unedited(each, number // len(sealed), folder, figures)
    for group in ("spliced", "re-encoded"):
        for number, each in enumerate(islice(cycle(sealed), n)):
            progress(f"{group} edits {number + 1} of {n}")
            donor = _donor(scenes[each.medium], each.scene, rng)
            figures.edits.append(_edited(each, group, number // len(sealed), donor, folder, rng))
    return figures


def _sealed_scenes(scenes: dict[str, list[Scene]], folder: Path) -> list[Sealed]:
    key = Ed25519PrivateKey.generate()
    sealed = []
    longest = max(len(group) for group in scenes.values())
    for number in range(longest):  # media take turns, so that the first n hold all
        for medium, group in scenes.items():
            if number < len(group):
                coding = SEALED_CODINGS[medium][number % len(SEALED_CODINGS[medium])]
                path = folder / f"{medium}{number}{coding.suffix}"
                write_scene(group[number], path, coding)
                sealed.append(Sealed(group[number], medium, coding, path, make_seal(path, key)))
    return sealed


def _unedited(each: Sealed, turn: int, folder: Path, figures: Figures) -> None:
    copy = folder / f"copy{each.path.suffix}"
    shutil.copyfile(each.path, copy)
    figures.note("bit-exact copy", verify_file(copy, each.seal), each.scene.name)
    suffixes = REMUXED_SUFFIXES[each.medium]
    suffix = suffixes[turn % len(suffixes)]
    if each.coding.audio == "libopus":
        suffix = ".mkv" if each.path.suffix == ".mka" else suffix
    remuxed = splice([(each.path, 0.0, 1e6)], folder / f"remuxed{suffix}")
    figures.note("remuxed", verify_file(remuxed, each.seal), f"{each.scene.name} {suffix}")
    coding = _other(each, turn)
    other = write_scene(_decoded(each), folder / f"other{coding.suffix}", coding)
    figures.note("re-encoded", verify_file(other, each.seal), f"{each.scene.name} {coding}")


def _decoded(each: Sealed) -> Scene:
    """What a forger has: the recording as it was coded, not as it was before."""
    samples = None if each.scene.samples is None else read_samples(each.path)
    if samples is not None and each.scene.samples is not None:
        samples = samples[: len(each.scene.samples)]
    frames = None if each.scene.frames is None else read_frames(each.path)
    return Scene(each.scene.name, each.scene.source, samples, frames)


def _other(each: Sealed, turn: int) -> Coding:
    codings = OTHER_CODINGS[each.medium]
    return codings[(turn + hash_of(each.scene.name)) % len(codings)]


def hash_of(name: str) -> int:
    """A number from a name, the same on every run."""
    return sum(name.encode())


def _donor(group: Sequence[Scene], scene: Scene, rng: np.random.Generator) -> Scene:
    others = [other for other in group if other.name != scene.name]
    return others[int(rng.integers(len(others)))]


def _edited(
    each: Sealed, group: str, turn: int, donor: Scene, folder: Path, rng: np.random.Generator
) -> Trial:
    edits = edits_for(each.scene)
    edit = edits[(turn + hash_of(each.scene.name)) % len(edits)]
    truth = random_truth(each.scene, edit, rng, on_grid=group == "spliced")
    if group == "spliced":
        path, truth = _spliced(each, truth, donor, folder, rng)
    else:
        coding = _other(each, turn)
        edited = apply(_decoded(each), truth, donor, rng)
        truth = heard_truth(truth, each.scene, edited)
        path = write_scene(edited, folder / f"edited{coding.suffix}", coding)
    verification = verify_file(path, each.seal)
    return Trial(group, each.medium, each.scene.name, truth, verification)


def _spliced(
    each: Sealed, truth: Truth, donor: Scene, folder: Path, rng: np.random.Generator
) -> tuple[Path, Truth]:
    """Re-encode only what must be: the groups of pictures and sound packets that were touched."""
    suffix, (start_s, end_s) = each.path.suffix, truth.sealed_s
    pieces: list[Piece]
    if truth.edit is Edit.CUT:
        pieces = [(each.path, 0.0, start_s), (each.path, end_s, 1e6)]
    elif truth.edit is Edit.INSERT:
        length_s = truth.file_s[1] - truth.file_s[0]
        piece = donated(donor, length_s, rng, each.scene)
        other = write_scene(piece, folder / f"piece{suffix}", each.coding)
        pieces = [(each.path, 0.0, start_s), (other, 0.0, length_s), (each.path, start_s, 1e6)]
    else:
        first_s = np.floor(start_s / GRID_S) * GRID_S
        last_s = np.ceil(end_s / GRID_S) * GRID_S
        edited = apply(_decoded(each), truth, donor, rng)
        truth = heard_truth(truth, each.scene, edited)
        whole = write_scene(edited, folder / f"piece{suffix}", each.coding)
        pieces = [(each.path, 0.0, first_s), (whole, first_s, last_s), (each.path, last_s, 1e6)]
    return splice(pieces, folder / f"spliced{suffix}"), truth
