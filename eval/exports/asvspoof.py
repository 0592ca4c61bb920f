"""ASVspoof submissions: one score an utterance, higher = bona fide."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from eval.errors import ScoresError

HEADER_2024 = "filename\tcm-score"


def asvspoof_2021(llrs: Mapping[str, float]) -> str:
    """``utterance score`` a line without a header, as ASVspoof 2019 and 2021 score files have it.

    ASVspoof 2021 evaluation package (``asvspoof-challenge/2021``, ``evaluate.py``).

    Args:
        llrs: ``fake_llr`` by id; a path becomes the utterance's bare name.
    """
    return "".join(f"{name} {score:.6f}\n" for name, score in _bona_fide_scores(llrs).items())


def asvspoof5(llrs: Mapping[str, float]) -> str:
    """``filename<tab>cm-score`` a line under that header: track 1 of ASVspoof 5.

    ASVspoof 5 evaluation package (``asvspoof-challenge/asvspoof5``, ``evaluation-package/util.py``,
    ``load_cm_scores_keys``), which wants exactly the utterances of the key.

    Args:
        llrs: ``fake_llr`` by id; a path becomes the utterance's bare name.
    """
    lines = [f"{name}\t{score:.6f}" for name, score in _bona_fide_scores(llrs).items()]
    return "\n".join([HEADER_2024, *lines]) + "\n"


def _bona_fide_scores(llrs: Mapping[str, float]) -> dict[str, float]:
    """Turned, by bare name; 0 minus the LLR, so that an abstention is no minus zero."""
    scores = {PurePosixPath(clip_id).stem: 0.0 - llr for clip_id, llr in llrs.items()}
    if len(scores) < len(llrs):
        raise ScoresError("two clips have one utterance name; export one folder at a time")
    blank = [name for name in scores if len(name.split()) != 1]
    if blank:
        raise ScoresError(f"{blank[0]!r} is no utterance name: the format parts words by blanks")
    return scores
