"""KoDF: Korean speakers, faces swapped, reenacted and driven by sound."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import first_there, make_rows, media_below, pick
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_REAL, _FAKE = "original_videos", "synthesized_videos"
_KINDS = {
    "dffs": "face-swap",
    "dfl": "face-swap",
    "fsgan": "face-swap",
    "fo": "reenactment",
    "audio-driven": "lip-sync",
}


def read(root: Path) -> list[ManifestRow]:
    """Rows of every video below the two folders: the release has no list of them that we know."""
    real, fake = (first_there(root, (name,)) for name in (_REAL, _FAKE))
    files = [p.relative_to(root) for folder in (real, fake) for p in media_below(folder)]
    if not files:
        raise ManifestError(f"{root}: no video below {_REAL} and {_FAKE}; unpack the release")
    return make_rows(root, files, _row)


def _row(file: Path) -> ManifestRow:
    path, fake = file.as_posix(), file.parts[0] == _FAKE
    target, source = _people(file.stem, fake)
    return ManifestRow(
        id=path,
        path=path,
        label="fake" if fake else "real",
        audio_label="" if fake else "real",
        video_label="fake" if fake else "real",
        identity=target,
        source=source,
        generator=file.parts[1] if fake else "",
        kind=pick(file.parts[1], _KINDS, "method") if fake else "",
        language="ko",
        split="test",
    )


def _people(stem: str, fake: bool) -> tuple[str, str]:
    """Target and donor of a fake, the speaker twice of a real clip; raises on other names."""
    words = stem.split("_")
    if len(words) != (4 if fake else 2):
        form = "<target>_<donor>_<code>_<number>" if fake else "<speaker>_<number>"
        raise ValueError(f"file {stem!r}: expected a name of the form {form}")
    return words[0], words[1] if fake else words[0]


DATASET = Dataset(
    name="kodf",
    title="KoDF (Kwon et al. 2021)",
    read=read,
    layout="""\
original_videos/      <speaker>/<speaker>_<number>.mp4
synthesized_videos/   <method>/**/<target>_<donor>_<code>_<number>.mp4
                      methods dffs, dfl, fsgan, fo, audio-driven
""",
    splits=("test",),
    citations=(
        Citation(
            what="both folders, methods and names",
            where="independent readers of the release, agreeing; the release is behind a form",
            confirmed=False,
        ),
    ),
)
