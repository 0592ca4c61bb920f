"""Talking-head clips for recipes: what networks may learn from, and what they never see."""

from __future__ import annotations

from eval.protocol import read_protocol
from eval.shared_data import read_rows

Row = dict[str, str]


def video_split() -> tuple[list[Row], list[Row]]:
    """Rows of ``data/video/clips.csv`` as (development: real only, measured: real and fake).

    Measured are all folds of the video protocol that are held out in turn, those that what is
    shipped is calibrated on among them.
    """
    protocol = read_protocol("video")
    fold_of = {source: fold for fold, sources in protocol.folds.items() for source in sources}
    rows = [(row, fold_of[row["source_repo"]]) for row in read_rows("data/video/clips.csv")]
    return (
        [r for r, fold in rows if fold in protocol.roles["train"] and r["label"] == "real"],
        [r for r, fold in rows if fold in protocol.sets["all"]],
    )
