"""ASVspoof 5: crowdsourced speech, 32 attacks, codecs and adversarial filters."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.asvspoof2019_la import KEYS
from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import make_rows, pick
from eval.datasets.listing import read_words
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow

_LISTS = {
    "train": ("ASVspoof5.train.tsv", "flac_T"),
    "dev": ("ASVspoof5.dev.track_1.tsv", "flac_D"),
    "eval": ("ASVspoof5.eval.track_1.tsv", "flac_E_eval"),
}
_WORDS = (
    "speaker",
    "name",
    "gender",
    "codec",
    "codec_q",
    "codec_seed",
    "attack_tag",
    "attack",
    "key",
    "tmp",
)


def read(root: Path) -> list[ManifestRow]:
    """Rows of the three track-1 lists; ``source`` is the utterance before any codec.

    The lists lie in ``root`` as the archive unpacks them, or in ``root/ASVspoof5_protocols``.
    """
    return [row for split in _LISTS for row in _read_split(root, split)]


def _read_split(root: Path, split: str) -> list[ManifestRow]:
    name, folder = _LISTS[split]
    path = next(
        (p for p in (root / name, root / "ASVspoof5_protocols" / name) if p.is_file()), None
    )
    if path is None:
        raise ManifestError(
            f"{root / name} is not there, nor in ASVspoof5_protocols/: expected the list of "
            "ASVspoof5_protocols.tar.gz"
        )
    return make_rows(path, read_words(path, _WORDS), lambda cells: _row(cells, folder, split))


def _row(cells: dict[str, str], folder: str, split: str) -> ManifestRow:
    label = pick(cells["key"], KEYS, "key")
    coded = cells["codec"] != "-"
    return ManifestRow(
        id=cells["name"],
        path=f"{folder}/{cells['name']}.flac",
        label=label,
        audio_label=label,
        speaker=cells["speaker"],
        source=cells["codec_seed"] if coded else cells["name"],
        generator="" if label == "real" else cells["attack"],
        kind="" if label == "real" else cells["attack_tag"],
        language="en",
        quality=cells["codec_q"] if coded else "",
        codec=cells["codec"] if coded else "flac",
        rate_hz=16000,
        split=split,
    )


DATASET = Dataset(
    name="asvspoof5",
    title="ASVspoof 5 (2024), track 1",
    read=read,
    layout=f"""\
ASVspoof5.train.tsv         {" ".join(_WORDS).upper()}
ASVspoof5.dev.track_1.tsv   (the lists may also lie in ASVspoof5_protocols/)
ASVspoof5.eval.track_1.tsv
flac_T|flac_D|flac_E_eval/NAME.flac
""",
    splits=tuple(_LISTS),
    citations=(
        Citation(
            what="folders, lists, columns",
            where="ASVspoof 5 database, README.txt (Zenodo 14498691)",
            confirmed=True,
        ),
        Citation(
            what="no speaker in two parts",
            where="Wang et al. 2025, arXiv 2502.08857, abstract",
            confirmed=True,
        ),
        Citation(
            what="no attack in two parts",
            where="Wang et al. 2024, doi 10.21437/ASVspoof.2024-1",
            confirmed=False,
        ),
    ),
    held_out=("speaker", "generator"),
)
