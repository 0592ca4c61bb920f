"""Build the media that the engine is accepted on from the data folder, with what is true of them.

Voices and faces of real people are in them, and their licences differ: do not hand them on.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

from eval.compose_call import CALL_RATE_HZ, compose_call
from eval.compose_video import SIZE_PX, Scene, compose_scene
from eval.datasets import DATASETS
from eval.loop_media import loop_media
from eval.manifest.folds import assign_folds
from eval.manifest.row import ManifestRow
from eval.mux import mux
from eval.protocol import read_protocol
from eval.shared_data import shared_path, shared_root
from eval.splits import Row, video_split

_CALL_S, _LONG_CALL_S, _LONG_VIDEO_S = 75.0, 7200.0, 600.0
_LEAST_CLIP_S = 6.0
# Whole in their source's picture: other crops end in stretched border pixels, which no video has.
_REAL_PEOPLE = ("yiranran_31", "revise_demo", "PCAVS_741400163")
PARTS = ("calls", "clips", "scenes")
Truth = dict[str, dict[str, Any]]


def compose_all(folder: Path, *, parts: Collection[str] = PARTS, long: bool = False) -> list[Path]:
    """Write every medium and ``truth.json`` into a folder, made if it is not there.

    Only clips that nothing was trained on are used. The calls: two channels, a bona fide speaker
    on the left, a generator or a second bona fide speaker on the right. The clips: one real, one
    lip-synced, one animated portrait, with their sound. The scenes: two faces side by side, then a
    cut to a third, all real or the third forged.

    Args:
        folder: where to write; files of the same names are overwritten.
        parts: which of `PARTS`.
        long: also a two-hour call and a ten-minute video, loops of the calls and scenes.

    Returns:
        The files written, ``truth.json`` last.

    Raises:
        DataNotFoundError: the data folder is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    builders = {"calls": _calls, "clips": _clips, "scenes": _scenes}
    truth: Truth = {}
    for part in PARTS:
        if part in parts:
            truth |= builders[part](folder)
    if long:
        truth |= _long(folder, truth)
    record = folder / "truth.json"
    record.write_text(json.dumps(truth, indent=1) + "\n", "utf-8")
    return [*(folder / name for name in truth), record]


def _calls(folder: Path) -> Truth:
    protocol = read_protocol("voice")
    rows = assign_folds(DATASETS[protocol.dataset].read(shared_root()), protocol)
    real, fake = (
        _most_spoken([row for row in rows if row.split == "test" and row.label == label])
        for label in ("real", "fake")
    )
    caller, second, robot = real[0], real[1], fake[0]
    truth: Truth = {}
    for name, right in (("call-spoofed.wav", robot), ("call-real.wav", second)):
        compose_call(_sounds(caller), _sounds(right), folder / name, at_least_s=_CALL_S)
        is_spoofed = right is robot
        truth[name] = {
            "label": "fake" if is_spoofed else "real",
            "fake_channels": ["right"] if is_spoofed else [],
            "generator": right[0].generator,
            "speakers": [caller[0].speaker, right[0].speaker],
            "what": f"two channels, mu-law, {CALL_RATE_HZ} Hz",
        }
    return truth


def _most_spoken(rows: list[ManifestRow]) -> list[list[ManifestRow]]:
    """Rows by speaker and generator, those with the most seconds first."""
    voices: dict[tuple[str, str], list[ManifestRow]] = defaultdict(list)
    for row in rows:
        voices[row.speaker, row.generator].append(row)
    seconds = {key: sum(row.duration_s or 0.0 for row in voices[key]) for key in voices}
    return [voices[key] for key in sorted(voices, key=lambda key: (-seconds[key], key))]


def _sounds(rows: list[ManifestRow]) -> list[Path]:
    return [shared_path(row.path) for row in rows]


def _clips(folder: Path) -> Truth:
    truth: Truth = {}
    for row in (_real_clips()[0], _fake_clip("lip-sync"), _fake_clip("talking-portrait")):
        name = f"clip-{row['fake_kind'] or 'real'}.mkv"
        mux(*_media(row), folder / name)
        truth[name] = {
            "label": row["label"],
            "generator": row["generator"],
            "clip": row["file"],
            "what": "one clip of the data folder, muxed with its sound",
        }
    return truth


def _scenes(folder: Path) -> Truth:
    talker, listener, third = _real_clips()
    truth: Truth = {}
    for name, last in (("scene-real.mp4", third), ("scene-forged.mp4", _fake_clip("lip-sync"))):
        scene = Scene(talker=_media(talker), listener=_media(listener)[0], after_cut=_media(last))
        cut_s = compose_scene(scene, folder / name)
        truth[name] = {
            "label": last["label"],
            "cut_s": cut_s,
            "clips": [row["file"] for row in (talker, listener, last)],
            "generator": last["generator"],
            "what": f"{SIZE_PX[0]}x{SIZE_PX[1]}: left face heard, right face silent, then a cut",
        }
    return truth


def _long(folder: Path, truth: Truth) -> Truth:
    loops = [
        loop
        for loop in (
            ("call-spoofed.wav", "call-120min.wav", _LONG_CALL_S),
            ("scene-forged.mp4", "scene-10min.mp4", _LONG_VIDEO_S),
        )
        if loop[0] in truth
    ]
    for source, target, lasting_s in loops:
        loop_media(folder / source, folder / target, lasting_s=lasting_s)
    return {target: truth[source] | {"repeats": source} for source, target, _ in loops}


def _real_clips() -> list[Row]:
    """One real held-out clip of each of `_REAL_PEOPLE`, its synchrony not in doubt."""
    usable = [row for row in video_split()[1] if row["label"] == row["audio_label"] == "real"]
    by_person = {row["identity"]: row for row in reversed(usable) if _is_clean(row)}
    return [by_person[person] for person in _REAL_PEOPLE]


def held_out_clips() -> list[tuple[Path, Path]]:
    """Picture and sound of real clips that nothing was trained on, their synchrony not in doubt."""
    return [_media(row) for row in _real_clips()]


def _fake_clip(kind: str) -> Row:
    return next(row for row in video_split()[1] if row["fake_kind"] == kind and _is_clean(row))


def _is_clean(row: Row) -> bool:
    return bool(
        row["has_audio"] == "yes"
        and row["identity"]
        and not row["note"]
        and float(row["duration_s"]) >= _LEAST_CLIP_S
    )


def _media(row: Row) -> tuple[Path, Path]:
    return shared_path(f"data/video/{row['file']}"), shared_path(f"data/video/{row['audio_file']}")
