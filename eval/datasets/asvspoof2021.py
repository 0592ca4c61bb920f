"""ASVspoof 2021: the speech of 2019 through telephone codecs (LA) and lossy compression (DF)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eval.datasets.asvspoof2019_la import KEYS, SYSTEMS
from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import make_rows, pick
from eval.datasets.listing import read_words
from eval.manifest.row import ManifestRow

_EVALUATION = "asvspoof-challenge/2021: eval-package/config.py"
_LA_WORDS = ("speaker", "name", "codec", "line", "attack", "key", "trim", "subset")
_DF_WORDS = (
    "speaker",
    "name",
    "compression",
    "source",
    "attack",
    "key",
    "trim",
    "subset",
    "vocoder",
    "task",
    "team",
    "genders",
    "language",
)


def read_la(root: Path) -> list[ManifestRow]:
    """Rows of the full LA keys; ``codec`` is the telephone line's, ``quality`` where it led."""
    path = root / "keys" / "LA" / "CM" / "trial_metadata.txt"
    return make_rows(path, read_words(path, _LA_WORDS), _la_row)


def read_df(root: Path) -> list[ManifestRow]:
    """Rows of the full DF keys; ``codec`` is the compression, ``source`` the corpus.

    Their language column tells the target speaker's language, which need not be what is spoken:
    `ManifestRow.language` stays empty.
    """
    path = root / "keys" / "DF" / "CM" / "trial_metadata.txt"
    return make_rows(path, read_words(path, _DF_WORDS), _df_row)


def _la_row(cells: dict[str, str]) -> ManifestRow:
    label = pick(cells["key"], KEYS, "key")
    return ManifestRow(
        id=cells["name"],
        path=f"ASVspoof2021_LA_eval/flac/{cells['name']}.flac",
        label=label,
        audio_label=label,
        speaker=cells["speaker"],
        generator="" if label == "real" else cells["attack"],
        kind="" if label == "real" else SYSTEMS.get(cells["attack"], ""),
        language="en",
        quality=cells["line"],
        codec=cells["codec"],
        rate_hz=16000,
        split=cells["subset"],
    )


def _df_row(cells: dict[str, str]) -> ManifestRow:
    label = pick(cells["key"], KEYS, "key")
    return ManifestRow(
        id=cells["name"],
        path=f"ASVspoof2021_DF_eval/flac/{cells['name']}.flac",
        label=label,
        audio_label=label,
        speaker=cells["speaker"],
        source=cells["source"],
        generator="" if label == "real" else cells["attack"],
        kind="" if label == "real" else cells["vocoder"],
        codec=cells["compression"],
        rate_hz=16000,
        split=cells["subset"],
    )


def _dataset(track: str, title: str, read: Callable[[Path], list[ManifestRow]]) -> Dataset:
    columns = _LA_WORDS if track == "LA" else _DF_WORDS
    return Dataset(
        name=f"asvspoof2021_{track.lower()}",
        title=title,
        read=read,
        layout=f"""\
keys/{track}/CM/trial_metadata.txt  {" ".join(columns).upper()}
ASVspoof2021_{track}_eval/flac/NAME.flac
""",
        splits=("eval", "progress", "hidden"),
        citations=(
            Citation(what="columns, subsets", where=_EVALUATION, confirmed=True),
            Citation(
                what="folder of the keys",
                where="asvspoof-challenge/2021: eval-package/README.md",
                confirmed=True,
            ),
            Citation(
                what="folder of the audio, 16 kHz flac",
                where=f"ASVspoof2021_{track}_eval package, README.{track}.txt",
                confirmed=track == "LA",
            ),
        ),
    )


LA = _dataset("LA", "ASVspoof 2021 LA", read_la)
DF = _dataset("DF", "ASVspoof 2021 DF", read_df)
