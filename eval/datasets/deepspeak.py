"""DeepSpeak v1.1 and v2: webcam recordings of paid people, swapped, lip-synced and animated."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import inside, make_rows, media_by_name, pick, relative
from eval.datasets.listing import read_table
from eval.manifest.row import ManifestRow, Truth

_REAL, _FAKE, _SPLIT = (f"annotations-{name}.csv" for name in ("real", "fake", "split-def"))
_FAKE_COLUMNS = ("video-file", "kind", "engine", "identity-source", "identity-target")
_CLONED: dict[str, Truth] = {"True": "fake", "False": "real"}


def read(root: Path) -> list[ManifestRow]:
    """Rows of both annotation tables; the split is that of the person filmed."""
    people = read_table(root / _SPLIT, ("identity", "split"))
    where = _Where(root, {cells["identity"]: cells["split"] for cells in people})
    real, fake = root / _REAL, root / _FAKE
    return [
        *make_rows(
            real, read_table(real, ("video-file", "identity")), partial(_real_row, where=where)
        ),
        *make_rows(fake, read_table(fake, _FAKE_COLUMNS), partial(_fake_row, where=where)),
    ]


class _Where:
    """Where a recording lies, in whichever of the release's archives, and in which split."""

    def __init__(self, root: Path, splits: dict[str, str]) -> None:
        files = media_by_name(root)
        self._paths = {name: relative(path, root) for name, path in files.items()}
        self._splits = splits

    def path(self, name: str) -> str:
        """Path below the root; of a file that is not there, its bare name."""
        return self._paths.get(name, inside(name))

    def split(self, identity: str) -> str:
        return pick(identity, self._splits, f"identity without a split in {_SPLIT}:")


def _real_row(cells: dict[str, str], where: _Where) -> ManifestRow:
    person = cells["identity"]
    return ManifestRow(
        id=cells["video-file"],
        path=where.path(cells["video-file"]),
        label="real",
        audio_label="real",
        video_label="real",
        speaker=person,
        identity=person,
        source=person,
        language="en",
        split=where.split(person),
    )


def _fake_row(cells: dict[str, str], where: _Where) -> ManifestRow:
    person = cells["identity-target"]
    voice = _voice_engine(cells)
    return ManifestRow(
        id=cells["video-file"],
        path=where.path(cells["video-file"]),
        label="fake",
        audio_label="fake" if voice else "real",
        video_label="fake",
        speaker=person,
        identity=person,
        source=cells["identity-source"],
        generator="+".join(name for name in (cells["engine"], voice) if name),
        kind=cells["kind"],
        language="en",
        split=where.split(person),
    )


def _voice_engine(cells: dict[str, str]) -> str:
    """Who cloned the voice, empty for the recorded one; v1.1 only says whether."""
    if "audio-config" in cells:
        return "" if cells["audio-config"] in ("", "real") else cells["audio-config"]
    cloned = pick(cells["recording-target-ai-generated"], _CLONED, "recording-target-ai-generated")
    return "elevenlabs" if cloned == "fake" else ""


DATASET = Dataset(
    name="deepspeak",
    title="DeepSpeak v1.1 and v2 (Barrington, Bohacek and Farid 2024)",
    read=read,
    layout="""\
annotations-real.csv        video-file, identity, ...
annotations-fake.csv        video-file,kind,engine,identity-source,identity-target,..., audio-config
                            (v1.1: recording-target-ai-generated in its place)
annotations-split-def.csv   identity, split
**/<video-file>             in whichever folders the archives unpack to
""",
    splits=("train", "test"),
    citations=(
        Citation(
            what="columns of the fakes' annotations, v1.1 and v2",
            where="hfaridlab/deepspeak experiments/video_experiments/LipFD/annotations-v11.csv, "
            "annotations-v2.csv",
            confirmed=True,
        ),
        Citation(
            what="cloned voices of v1.1 are ElevenLabs'; splits train and test",
            where="hfaridlab/deepspeak experiments/audio_experiments/utils/"
            "create_audio_metadata.py",
            confirmed=True,
        ),
        Citation(
            what="spoken language",
            where="huggingface.co/datasets/faridlab/deepspeak_v1 (authors' card)",
            confirmed=True,
        ),
        Citation(
            what="names of the three tables; columns of the real and the split table",
            where="independent readers of the release, agreeing; the release is behind a form",
            confirmed=False,
        ),
    ),
    held_out=("identity",),
)
