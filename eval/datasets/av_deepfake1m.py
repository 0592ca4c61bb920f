"""AV-Deepfake1M and AV-Deepfake1M++: words replaced by a language model, spoken and lip-synced."""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import first_there, inside, make_rows, pick, read_entries, segments
from eval.manifest.row import ManifestRow

_SPLITS = ("train", "val")  # the labels of the test set are kept by the authors
_KEYS = ("file", "modify_type", "fake_segments", "video_frames")
_FRAME_RATE_HZ = 25
_STREAMS: dict[str, tuple[bool, bool]] = {  # picture forged, sound forged
    "real": (False, False),
    "visual_modified": (True, False),
    "audio_modified": (False, True),
    "both_modified": (True, True),
}
_CORPORA = ("vox_celeb_2", "lrs3", "silent_videos")  # of ++; the first set is VoxCeleb2 throughout


def read(root: Path) -> list[ManifestRow]:
    """Rows of ``train_metadata.json`` and ``val_metadata.json``, whichever are there."""
    first_there(root, [f"{split}_metadata.json" for split in _SPLITS])
    rows: list[ManifestRow] = []
    for split in _SPLITS:
        path = root / f"{split}_metadata.json"
        if path.exists():
            rows += make_rows(path, read_entries(path, _KEYS), partial(_row, split=split))
    return rows


def _row(entry: dict[str, Any], split: str) -> ManifestRow:
    # The authors' own loader spells the word with a hyphen, their files with an underline.
    kind = entry["modify_type"].replace("-", "_")
    video, audio = pick(kind, _STREAMS, "modify_type")
    path = inside(split, entry["file"])
    identity, source = _origin(PurePosixPath(entry["file"]))
    models = [entry.get("video_model") if video else "", entry.get("audio_model") if audio else ""]
    return ManifestRow(
        id=path,
        path=path,
        label="fake" if video or audio else "real",
        audio_label="fake" if audio else "real",
        video_label="fake" if video else "real",
        fake_segments=segments(entry["fake_segments"]),
        speaker=identity,
        identity=identity,
        source=source,
        generator="+".join(model for model in models if model),
        kind=kind if video or audio else "",
        duration_s=entry["video_frames"] / _FRAME_RATE_HZ,
        split=split,
    )


def _origin(file: PurePosixPath) -> tuple[str, str]:
    """Person and recording, from folders such as ``id00012/21Uxsk56VDQ/00001/real.mp4``."""
    folders = file.parts[:-1]
    if folders[0] == "silent_videos":  # subject_17_<hash>_vid_2_6: one folder a recording
        return f"silent/{'_'.join(folders[1].split('_')[:2])}", "/".join(folders)
    if folders[0] == "lrs3":
        return f"lrs3/{folders[1]}", "/".join(folders[:2])
    folders = folders[1:] if folders[0] in _CORPORA else folders
    return folders[0], "/".join(folders[:2])


DATASET = Dataset(
    name="av_deepfake1m",
    title="AV-Deepfake1M (Cai et al. 2024) and AV-Deepfake1M++ (2025)",
    read=read,
    layout="""\
train_metadata.json  val_metadata.json   list of file, modify_type, fake_segments [s], ...
train/  val/                             <person>/<video>/<utterance>/<name>.mp4
                                         or vox_celeb_2/..., lrs3/..., silent_videos/... of ++
""",
    splits=_SPLITS,
    citations=(
        Citation(
            what="metadata files, their keys, split folders, segments in seconds, 25 frames/s",
            where="ControlNet/AV-Deepfake1M python/avdeepfake1m/loader.py",
            confirmed=True,
        ),
        Citation(
            what="training and validation share people",
            where="deepfakes1m.github.io/2025/details",
            confirmed=True,
        ),
        Citation(
            what="spelling of modify_type, video_model, folders of persons and corpora",
            where="independent readers of the release, agreeing",
            confirmed=False,
        ),
    ),
)
