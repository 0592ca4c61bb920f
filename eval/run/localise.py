"""How well a verdict's stretches find the forged segments, where the manifest tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from avdetect.types import total_seconds
from eval.manifest.row import ManifestRow
from eval.metrics.localisation import Proposal, localisation
from eval.run.figures import Figures
from eval.run.store import CLEAN, Key
from eval.run.stretches import Located

_WHOLE = 0.98  # of a clip: forged from end to end, nothing to find


def localisation_figures(
    rows: Sequence[ManifestRow], located: Mapping[Key, Located]
) -> Figures | None:
    """AP and AR over the clips whose forged segments are known.

    None where no fake is forged in part: finding the whole of a clip is detection.

    Args:
        rows: scored ones.
        located: stretches by (id, level); a clip without any proposes nothing.
    """
    known = [row for row in rows if row.fake_segments is not None]
    if not any(_forged_in_part(row, located) for row in known):
        return None
    proposals = {
        row.id: [Proposal(s.confidence, s.segment) for s in located[row.id, CLEAN].stretches]
        for row in known
        if (row.id, CLEAN) in located
    }
    truth = {row.id: list(row.fake_segments or ()) for row in known}
    figures = localisation(proposals, truth)
    return {
        "n_clips": len(known),
        "n_segments": sum(map(len, truth.values())),
        "ap": {str(iou): value for iou, value in figures.ap.items()},
        "ar": {str(n): value for n, value in figures.ar.items()},
    }


def _forged_in_part(row: ManifestRow, located: Mapping[Key, Located]) -> bool:
    found = located.get((row.id, CLEAN))
    seconds = row.duration_s or (found.duration_s if found else None)
    forged_s = total_seconds(row.fake_segments or ())
    return bool(seconds) and 0.0 < forged_s < _WHOLE * (seconds or 0.0)
