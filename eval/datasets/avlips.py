"""AVLips v1.0: talking heads whose lips were driven by speech, each with its sound beside it."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import first_there, make_rows
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_FOLDERS = {"0_real": False, "1_fake": True}


def read(root: Path) -> list[ManifestRow]:
    """Rows of every video, and of every sound whose video is not there."""
    names: list[tuple[str, str]] = []
    for folder in _FOLDERS:
        pictures, sounds = (first_there(root, (name,)) for name in (folder, f"wav/{folder}"))
        stems = {p.stem for p in pictures.glob("*.mp4")} | {p.stem for p in sounds.glob("*.wav")}
        names += [(folder, stem) for stem in sorted(stems)]
    if not names:
        raise ManifestError(f"{root}: no <number>.mp4 in {' or '.join(_FOLDERS)}; unpack the set")
    return make_rows(root, names, _row)


def _row(name: tuple[str, str]) -> ManifestRow:
    folder, stem = name
    fake = _FOLDERS[folder]
    return ManifestRow(
        id=f"{folder}/{stem}.mp4",
        path=f"{folder}/{stem}.mp4",
        label="fake" if fake else "real",
        audio_path=f"wav/{folder}/{stem}.wav",
        audio_label="" if fake else "real",
        video_label="fake" if fake else "real",
        kind="lip-sync" if fake else "",
        split="test",
    )


DATASET = Dataset(
    name="avlips",
    title="AVLips v1.0 (Liu et al. 2024)",
    read=read,
    layout="""\
0_real/  1_fake/           <number>.mp4
wav/0_real/  wav/1_fake/   <number>.wav
""",
    splits=("test",),
    citations=(
        Citation(
            what="folders and names; sound is read from the .wav",
            where="AaronComo/LipFD README.md, preprocess.py",
            confirmed=True,
        ),
    ),
)
