"""The verdicts that cues are joined to: LLRs by calibrations that had not seen the clip's fold."""

from __future__ import annotations

from pathlib import Path

from avdetect.cues.base import Medium
from eval.cues.material import PROTOCOLS
from eval.out_of_fold import read_out_of_fold
from eval.run.store import CLEAN
from eval.run.store import read_scores as read_run_scores

_PROCEDURES = {Medium.SOUND: ("pool", "modern_unseen")}


def verdicts_of(medium: Medium, results: Path) -> dict[str, float]:
    """Id -> LLR.

    Of voices and videos the cross-validated scores; of pictures those of the shipped weights, which
    learned from none of these sources.

    Args:
        medium: of the clips.
        results: folder of `python -m eval run`.
    """
    folder = results / PROTOCOLS[medium]
    if medium is Medium.STILL:
        return {
            clip: llr
            for (clip, level), row in read_run_scores(folder / "scores.csv").items()
            if level == CLEAN and (llr := row.visual_forgery) is not None
        }
    wanted = _PROCEDURES.get(medium)
    return {
        row.id: row.fake_llr
        for row in read_out_of_fold(folder / "out_of_fold.csv")
        if row.fake_llr is not None and (wanted is None or row.procedure in wanted)
    }
