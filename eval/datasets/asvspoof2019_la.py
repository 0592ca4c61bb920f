"""ASVspoof 2019 logical access: studio speech, and nineteen systems that synthesise or convert."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import make_rows, pick
from eval.datasets.listing import read_words
from eval.manifest.row import ManifestRow

KEYS: dict[str, Literal["real", "fake"]] = {"bonafide": "real", "spoof": "fake"}
_LISTS = {"train": "train.trn", "dev": "dev.trl", "eval": "eval.trl"}
_WORDS = ("speaker", "name", "-", "system", "key")
_README = "ASVspoof2019 LA package, README.LA.txt"
SYSTEMS = {
    "A01": "TTS, neural waveform model",
    "A02": "TTS, vocoder",
    "A03": "TTS, vocoder",
    "A04": "TTS, waveform concatenation",
    "A05": "VC, vocoder",
    "A06": "VC, spectral filtering",
    "A07": "TTS, vocoder and GAN",
    "A08": "TTS, neural waveform",
    "A09": "TTS, vocoder",
    "A10": "TTS, neural waveform",
    "A11": "TTS, Griffin-Lim",
    "A12": "TTS, neural waveform",
    "A13": "TTS and VC, waveform concatenation and filtering",
    "A14": "TTS and VC, vocoder",
    "A15": "TTS and VC, neural waveform",
    "A16": "TTS, waveform concatenation",
    "A17": "VC, waveform filtering",
    "A18": "VC, vocoder",
    "A19": "VC, spectral filtering",
}


def read(root: Path) -> list[ManifestRow]:
    """Rows of the three countermeasure protocols; `ManifestRow.id` is the audio file's name."""
    return [row for split in _LISTS for row in _read_split(root, split)]


def _read_split(root: Path, split: str) -> list[ManifestRow]:
    path = root / "ASVspoof2019_LA_cm_protocols" / f"ASVspoof2019.LA.cm.{_LISTS[split]}.txt"
    return make_rows(path, read_words(path, _WORDS), lambda cells: _row(cells, split))


def _row(cells: dict[str, str], split: str) -> ManifestRow:
    label = pick(cells["key"], KEYS, "key")
    return ManifestRow(
        id=cells["name"],
        path=f"ASVspoof2019_LA_{split}/flac/{cells['name']}.flac",
        label=label,
        audio_label=label,
        speaker=cells["speaker"],
        generator="" if label == "real" else cells["system"],
        kind="" if label == "real" else SYSTEMS.get(cells["system"], ""),
        language="en",
        codec="flac",
        rate_hz=16000,
        split=split,
    )


DATASET = Dataset(
    name="asvspoof2019_la",
    title="ASVspoof 2019 LA",
    read=read,
    layout="""\
ASVspoof2019_LA_cm_protocols/
  ASVspoof2019.LA.cm.train.trn.txt  SPEAKER NAME - SYSTEM bonafide|spoof
  ASVspoof2019.LA.cm.dev.trl.txt
  ASVspoof2019.LA.cm.eval.trl.txt
ASVspoof2019_LA_train|dev|eval/flac/NAME.flac
""",
    splits=tuple(_LISTS),
    citations=(
        Citation(what="folders, protocol columns, systems", where=_README, confirmed=True),
        Citation(
            what="flac folder",
            where="asvspoof-challenge/2021: LA/Baseline-RawNet2/main.py",
            confirmed=True,
        ),
    ),
    held_out=("speaker",),
)
