"""Random edits of a recording, with what is true of each: what was done, and which seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from eval.sealing.scenes import FPS, RATE_HZ, Frames, Samples, Scene

GRID_S = 0.48  # edits that copy packets cut between groups of pictures, of twelve frames here


class Edit(StrEnum):
    """What is done to a stretch."""

    OVERWRITE = "overwrite"
    OVERWRITE_SOUND = "overwrite sound"
    OVERWRITE_PICTURE = "overwrite picture"
    CUT = "cut"
    INSERT = "insert"
    SILENCE = "silence"
    SWAP_FACE = "swap face"


SOUND_EDITS = (Edit.OVERWRITE, Edit.CUT, Edit.INSERT, Edit.SILENCE)
PICTURE_EDITS = (Edit.OVERWRITE, Edit.CUT, Edit.INSERT, Edit.SWAP_FACE)
BOTH_EDITS = tuple(Edit)

_MOST_EDIT_S, _LEAST_EDIT_S, _MARGIN_S = 4.0, 0.6, 1.0
_MOST_DRAWS = 100
_HEARD_DB = 35.0
_BAND_HZ = (300.0, 3400.0)  # ITU-T G.712


@dataclass(frozen=True, slots=True)
class Truth:
    """What was done.

    Attributes:
        edit: the edit.
        sealed_s: start and end of it on the clock of the recording; equal for an insertion.
        file_s: start and end on the clock of the edited file; equal for a cut.
    """

    edit: Edit
    sealed_s: tuple[float, float]
    file_s: tuple[float, float]


def edits_for(scene: Scene) -> tuple[Edit, ...]:
    """The edits that make sense for what a scene holds."""
    if scene.frames is None:
        return SOUND_EDITS
    return PICTURE_EDITS if scene.samples is None else BOTH_EDITS


def random_truth(scene: Scene, edit: Edit, rng: np.random.Generator, *, on_grid: bool) -> Truth:
    """Where to edit: 0.6 to 4 s long, a second from the ends at least, and not in a pause.

    A stretch of which less than half can be heard is drawn again: who cuts a pause out of a pause
    has changed nothing that anybody could find.

    Args:
        scene: what is edited.
        edit: what will be done.
        rng: of the draw.
        on_grid: cuts and insertions begin and end between groups of pictures.
    """
    for _ in range(_MOST_DRAWS):
        truth = _drawn(scene, edit, rng, on_grid=on_grid)
        if edit is Edit.INSERT or scene.samples is None or is_heard(scene.samples, *truth.sealed_s):
            break
    return truth


def heard_truth(truth: Truth, before: Scene, after: Scene) -> Truth:
    """The truth less the pauses at its ends: silence in the place of silence is no change.

    Args:
        truth: of an edit that keeps its place.
        before: the recording.
        after: what it was made into, both as samples.
    """
    sound_alone = before.frames is None or truth.edit in (Edit.OVERWRITE_SOUND, Edit.SILENCE)
    moves = truth.edit in (Edit.CUT, Edit.INSERT)
    if moves or not sound_alone or before.samples is None or after.samples is None:
        return truth
    loud = heard_frames(before.samples)
    both = loud | heard_frames(after.samples, before.samples)[: len(loud)]
    first, last = round(truth.sealed_s[0] * 50), round(truth.sealed_s[1] * 50)
    changed = np.flatnonzero(both[first:last]) + first
    span = (changed[0] / 50, (changed[-1] + 1) / 50) if len(changed) else truth.sealed_s
    return Truth(truth.edit, span, span)


def heard_frames(samples: Samples, loud_as: Samples | None = None) -> NDArray[np.bool_]:
    """Per 20 ms: louder than the loud parts (of ``loud_as``) less 35 dB, in the telephone band."""
    level_db, reference_db = (
        _levels_db(samples),
        _levels_db(samples if loud_as is None else loud_as),
    )
    return np.asarray(level_db > np.percentile(reference_db, 95) - _HEARD_DB)


def _levels_db(samples: Samples) -> NDArray[np.float64]:
    """Level per 20 ms within the telephone band, which is all that a seal keeps of a sound."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    spectrum[(hz < _BAND_HZ[0]) | (hz > _BAND_HZ[1])] = 0
    samples = np.fft.irfft(spectrum, len(samples)).astype(np.float32)
    size = RATE_HZ // 50
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return np.asarray(10 * np.log10(np.square(frames).mean(axis=1) + 1e-12), np.float64)


def is_heard(samples: Samples, start_s: float, end_s: float) -> bool:
    """Whether half of a stretch or more is louder than the loud parts less 35 dB."""
    stretch = heard_frames(samples)[round(start_s * 50) : round(end_s * 50)]
    return bool(stretch.mean() >= 0.5)


def _drawn(scene: Scene, edit: Edit, rng: np.random.Generator, *, on_grid: bool) -> Truth:
    longest_s = min(_MOST_EDIT_S, scene.duration_s / 3)
    length_s = float(rng.uniform(_LEAST_EDIT_S, longest_s))
    room_s = scene.duration_s - 2 * _MARGIN_S - (0.0 if edit is Edit.INSERT else length_s)
    start_s = _MARGIN_S + float(rng.uniform(0.0, room_s))
    if on_grid and edit in (Edit.CUT, Edit.INSERT):
        start_s = round(start_s / GRID_S) * GRID_S
        length_s = max(2, round(length_s / GRID_S)) * GRID_S
    start_s, length_s = round(start_s * FPS) / FPS, round(length_s * FPS) / FPS
    end_s = start_s + length_s
    if edit is Edit.CUT:
        return Truth(edit, (start_s, end_s), (start_s, start_s))
    if edit is Edit.INSERT:
        return Truth(edit, (start_s, start_s), (start_s, end_s))
    return Truth(edit, (start_s, end_s), (start_s, end_s))


def donated(donor: Scene, length_s: float, rng: np.random.Generator, like: Scene) -> Scene:
    """A stretch of another scene, with what ``like`` has of sound and picture, at its size."""
    for _ in range(_MOST_DRAWS):
        start_s = float(rng.uniform(0.0, max(0.0, donor.duration_s - length_s - 0.1)))
        if donor.samples is None or is_heard(donor.samples, start_s, start_s + length_s):
            break
    frames = samples = None
    if like.frames is not None and donor.frames is not None:
        first = round(start_s * FPS)
        size = like.frames.shape[2], like.frames.shape[1]
        picked = donor.frames[np.arange(first, first + round(length_s * FPS)) % len(donor.frames)]
        frames = np.stack([cv2.resize(f, size) for f in picked])
    if like.samples is not None and donor.samples is not None:
        first = round(start_s * RATE_HZ)
        picked_at = np.arange(first, first + round(length_s * RATE_HZ)) % len(donor.samples)
        samples = donor.samples[picked_at]
    return Scene(donor.name, donor.source, samples, frames)


def apply(scene: Scene, truth: Truth, donor: Scene, rng: np.random.Generator) -> Scene:
    """The edited recording."""
    length_s = max(truth.sealed_s[1] - truth.sealed_s[0], truth.file_s[1] - truth.file_s[0])
    piece = donated(donor, length_s, rng, scene)
    if truth.edit is Edit.CUT:
        return joined(scene, [(0.0, truth.sealed_s[0]), (truth.sealed_s[1], scene.duration_s)])
    if truth.edit is Edit.INSERT:
        before, after = (
            part(scene, 0.0, truth.sealed_s[0]),
            part(scene, truth.sealed_s[0], scene.duration_s),
        )
        return concatenated([before, piece, after], scene)
    samples = None if scene.samples is None else scene.samples.copy()
    frames = None if scene.frames is None else scene.frames.copy()
    heard = slice(round(truth.sealed_s[0] * RATE_HZ), round(truth.sealed_s[1] * RATE_HZ))
    seen = slice(round(truth.sealed_s[0] * FPS), round(truth.sealed_s[1] * FPS))
    if samples is not None and truth.edit in (Edit.OVERWRITE, Edit.OVERWRITE_SOUND):
        samples[heard] = 0.0 if piece.samples is None else piece.samples
    if samples is not None and truth.edit is Edit.SILENCE:
        samples[heard] = 0.0
    if frames is not None and truth.edit in (Edit.OVERWRITE, Edit.OVERWRITE_PICTURE):
        frames[seen] = 0 if piece.frames is None else piece.frames
    if frames is not None and piece.frames is not None and truth.edit is Edit.SWAP_FACE:
        frames[seen] = _with_other_face(frames[seen], piece.frames)
    return Scene(scene.name, scene.source, samples, frames)


def _with_other_face(frames: Frames, others: Frames) -> Frames:
    """Another person's face blended into the middle, its colours matched: a plain face swap."""
    height, width = frames.shape[1:3]
    mask = np.zeros((height, width), np.float32)
    centre, axes = (width // 2, int(0.52 * height)), (int(0.22 * width), int(0.3 * height))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.03 * width)[..., None]
    inside = mask > 0
    out = np.empty_like(frames)
    for n, (frame, other) in enumerate(zip(frames, others, strict=True)):
        here, there = frame[inside].astype(np.float32), other[inside].astype(np.float32)
        gain = here.std(axis=0) / np.maximum(there.std(axis=0), 1.0)
        matched = (other.astype(np.float32) - there.mean(axis=0)) * gain + here.mean(axis=0)
        out[n] = np.clip(soft * matched + (1 - soft) * frame, 0, 255).astype(np.uint8)
    return out


def part(scene: Scene, start_s: float, end_s: float) -> Scene:
    """A stretch of a scene."""
    heard = slice(round(start_s * RATE_HZ), round(end_s * RATE_HZ))
    seen = slice(round(start_s * FPS), round(end_s * FPS))
    samples = None if scene.samples is None else scene.samples[heard]
    frames = None if scene.frames is None else scene.frames[seen]
    return Scene(scene.name, scene.source, samples, frames)


def joined(scene: Scene, stretches: list[tuple[float, float]]) -> Scene:
    """Stretches of one scene, one after the other."""
    return concatenated([part(scene, *stretch) for stretch in stretches], scene)


def concatenated(parts: list[Scene], like: Scene) -> Scene:
    """Scenes one after the other, under the name of ``like``."""
    samples = frames = None
    if like.samples is not None:
        samples = np.concatenate([p.samples for p in parts if p.samples is not None])
    if like.frames is not None:
        frames = np.concatenate([p.frames for p in parts if p.frames is not None])
    return Scene(like.name, like.source, samples, frames)
