"""Frozen split of the talking-head clips; nothing else may choose rows of them."""

from __future__ import annotations

from eval.protocol import read_protocol
from eval.shared_data import read_rows

_NEVER_MEASURED = ("development", "excluded")  # folds of eval/protocols/video.toml
Row = dict[str, str]


def video_split() -> tuple[list[Row], list[Row]]:
    """Rows of ``data/video/clips.csv`` as (development: real only, test: real and fake)."""
    folds = read_protocol("video").folds
    fold_of = {source: fold for fold, sources in folds.items() for source in sources}
    rows = read_rows("data/video/clips.csv")
    return (
        [r for r in rows if fold_of[r["source_repo"]] == "development" and r["label"] == "real"],
        [r for r in rows if fold_of[r["source_repo"]] not in _NEVER_MEASURED],
    )
