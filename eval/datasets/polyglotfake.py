"""PolyGlotFake: public talks in seven languages, dubbed into the other six and lip-synced."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from eval.datasets.base import Citation, Dataset
from eval.datasets.layout import first_there, inside, make_rows, read_entries
from eval.manifest.row import ManifestRow

_LANGUAGES = ("ar", "en", "es", "fr", "ja", "ru", "zh")
_REAL_LISTS, _FAKE_LISTS = "json_file/real_json_file", "json_file/fake_Json_file"
_REAL_KEYS = ("filename", "duration", "source")
_FAKE_KEYS = ("name", "raw_video_name", "duration", "tts_technique", "sync_tech")


def read(root: Path) -> list[ManifestRow]:
    """Rows of the lists of every language; a dub's source is that of the talk it was made from."""
    # The archive has both folders at its root; the authors' own scripts put them one deeper.
    media = "" if first_there(root, ("real", "raw_dataset/real")).parent == root else "raw_dataset"
    rows: list[ManifestRow] = []
    pages: dict[str, str] = {}
    for language in _LANGUAGES:
        path = root / _REAL_LISTS / f"{language}.json"
        talks = read_entries(path, _REAL_KEYS, inside="videos")
        pages |= {talk["filename"]: talk["source"] for talk in talks}
        rows += make_rows(path, talks, partial(_talk_row, media=media, language=language))
    for language in _LANGUAGES:
        path = root / _FAKE_LISTS / f"to_{language}.json"
        dubs = read_entries(path, _FAKE_KEYS, inside="video")
        rows += make_rows(
            path, dubs, partial(_dub_row, media=media, language=language, pages=pages)
        )
    return rows


def _talk_row(entry: dict[str, Any], media: str, language: str) -> ManifestRow:
    path = inside(media, "real", language, entry["filename"])
    return ManifestRow(
        id=path,
        path=path,
        label="real",
        audio_label="real",
        video_label="real",
        source=entry["source"],
        language=language,
        duration_s=_seconds(entry["duration"]),
        split="test",
    )


def _dub_row(
    entry: dict[str, Any], media: str, language: str, pages: dict[str, str]
) -> ManifestRow:
    path = inside(media, "fake", f"to_{language}", entry["name"])
    return ManifestRow(
        id=path,
        path=path,
        label="fake",
        audio_label="fake",
        video_label="fake",
        source=pages.get(entry["raw_video_name"], ""),
        generator=f"{entry['tts_technique']}+{entry['sync_tech']}",
        kind="dub",
        language=language,
        duration_s=_seconds(entry["duration"]),
        split="test",
    )


def _seconds(text: str) -> float:
    """Of ``00:00:12`` (talks) or ``10.62`` (dubs)."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


DATASET = Dataset(
    name="polyglotfake",
    title="PolyGlotFake (Hou et al. 2024)",
    read=read,
    layout="""\
json_file/real_json_file/<language>.json      videos: filename, duration, source, characters
json_file/fake_Json_file/to_<language>.json   video: name, raw_video_name, tts_technique, sync_tech
real/<language>/                              <language>_<number>.mp4
fake/to_<language>/                           <talk>_to_<language>_<tts>.mp4
                                              (both also below raw_dataset/)
""",
    splits=("test",),
    citations=(
        Citation(
            what="lists and their keys",
            where="tobuta/PolyGlotFake json_file/real_json_file/es.json, "
            "json_file/fake_Json_file/to_ar.json",
            confirmed=True,
        ),
        Citation(
            what="raw_dataset/real/<language> and raw_dataset/fake/to_<language>",
            where="tobuta/PolyGlotFake move_log.json",
            confirmed=True,
        ),
        Citation(
            what="real/ and fake/ at the root of the archive",
            where="independent readers of the release, agreeing",
            confirmed=False,
        ),
    ),
)
