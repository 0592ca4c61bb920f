"""A manifest row's media at one level of the robustness grid, as a file the engine reads."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from avdetect.channels.levels import Level
from avdetect.errors import OutputError, UnreadableMediaError
from eval.manifest.row import ManifestRow
from eval.robustness.picture import OpenedFile, can_be_copied, degraded_pictures, open_file
from eval.robustness.sound import degraded_sound
from eval.robustness.tracks import Track, copied, lossless_pictures, plain_sound, write_tracks


def degraded_file(row: ManifestRow, root: Path, level: Level, folder: Path, *, seed: int) -> Path:
    """Write a row's media as the level makes it; nothing but the level loses anything.

    Sound becomes 32-bit float PCM at 16 kHz at every level, `CLEAN` included, so that levels differ
    by the level alone. Pictures the level leaves alone are copied packet by packet, or written
    losslessly where their container tells too little about time; both decode to the same bits.
    Memory is bounded: `eval.robustness.sound.PIECE_S` of sound, a group of pictures. The file is
    that of the whole clip, also for a row that is a segment of it.

    Args:
        row: whose ``path`` and ``audio_path`` are read.
        root: data root.
        level: what happens to sound and picture; what the row does not have is left out.
        folder: an existing folder to write into.
        seed: of everything that is drawn; row, level and seed decide the file.

    Returns:
        A new file: WAV for sound alone, PNG for a photograph, Matroska (whose clock is 1 ms)
        for a video. Its name is a hash and tells nothing about the row.

    Raises:
        InputError: the row's media is absent, cannot be decoded or is beyond the engine's limits.
        OutputError: the disk is full or the folder may not be written.
    """
    digest = hashlib.sha256(f"{row.id}\0{level.name}\0{seed}".encode()).digest()
    target = folder / digest.hex()[:24]
    for_sound, for_picture = np.random.SeedSequence(list(digest)).spawn(2)
    path = root / row.path
    with ExitStack() as stack:
        file = open_file(path, stack)
        has_picture = file.facts.video is not None
        rng = np.random.default_rng(for_picture)
        if has_picture and file.facts.is_still:
            return _write_still(file, level, rng, target.with_suffix(".png"))
        tracks = [_picture_track(file, path, level, rng)] if has_picture else []
        if row.audio_path:
            file = open_file(root / row.audio_path, stack)
            path = root / row.audio_path
        if row.audio_path or file.facts.audio is not None:
            # Sound alone has no picture to be late for, and WAV no clock.
            start_s = file.facts.start_s + level.sound_delay_s if has_picture else None
            tracks.append(_sound_track(path, level, for_sound, start_s))
        container = "matroska" if has_picture else "wav"
        suffix = ".mkv" if has_picture else ".wav"
        return write_tracks(target.with_suffix(suffix), container, tracks, file.name)


def _picture_track(file: OpenedFile, path: Path, level: Level, rng: np.random.Generator) -> Track:
    if file.video is not None and level.picture is None and can_be_copied(path):
        return copied(file.container, file.video)
    rate = file.video.average_rate if file.video is not None else None
    return lossless_pictures(degraded_pictures(file, level.picture, rng), rate)


def _sound_track(
    path: Path, level: Level, seeds: np.random.SeedSequence, start_s: float | None
) -> Track:
    pieces = degraded_sound(path, level.sound, seeds)
    first = next(pieces, None)
    if first is None:
        raise UnreadableMediaError(f"{path}: holds no sound that can be decoded")
    whole = chain([first[1]], (piece for _, piece in pieces))
    return plain_sound(whole, 0.0 if start_s is None else start_s + first[0])


def _write_still(file: OpenedFile, level: Level, rng: np.random.Generator, target: Path) -> Path:
    _, pictures = next(degraded_pictures(file, level.picture, rng))
    blob = cv2.imencode(".png", pictures[0][:, :, ::-1])[1]
    part = target.with_name(target.name + ".part")
    try:
        part.write_bytes(blob.tobytes())
        part.replace(target)
    except OSError as e:
        raise OutputError(f"{target}: could not be written: {e}; name a folder with room") from e
    finally:
        part.unlink(missing_ok=True)
    return target
