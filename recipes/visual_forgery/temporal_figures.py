"""Frames alone beside frames with the temporal head: AUC, and the paired difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.nn.temporal_head import TemporalHead
from eval.bootstrap import auc_draws, central_95
from eval.metrics import auc
from recipes.visual_forgery.track_data import Tracks

Floats = NDArray[np.float64]


def compare(head: TemporalHead, tracks: Tracks) -> dict[str, Any]:
    """Figures of a set: all of it, and each note's part against every real one or its twins.

    The intervals draw people with replacement (`eval.bootstrap`), the same draws for both, so
    that the difference is paired; ``by_source`` draws repositories.
    """
    alone = tracks.frame_scores().double().numpy()
    head.eval()
    with torch.inference_mode():
        together = alone + head(tracks.stretch).double().numpy()
    chosen = tracks.stretch.present.any(1).numpy()
    figures: dict[str, Any] = {
        "n_real": int((tracks.labels[chosen] == 0).sum()),
        "n_fake": int((tracks.labels[chosen] == 1).sum()),
        "n_people": len({p for p, keep in zip(tracks.people, chosen, strict=True) if keep}),
    }
    labels = tracks.labels[chosen]
    for name, groups in (("by_person", tracks.people), ("by_source", tracks.sources)):
        of = [g for g, keep in zip(groups, chosen, strict=True) if keep]
        figures[name] = _paired(labels, alone[chosen], together[chosen], of)
    notes = np.array(tracks.notes)
    fakes = chosen & (tracks.labels == 1)
    for note in sorted({word for n in notes[fakes] for word in n.split("|")}):
        mine = chosen & np.array([note in n.split("|") for n in notes])
        trial = mine | (chosen & (tracks.labels == 0) & (notes == ""))
        if len(set(tracks.labels[trial])) == 2:
            figures[note] = {
                "n_fake": int((tracks.labels[trial] == 1).sum()),
                "alone": round(auc(tracks.labels[trial], alone[trial]), 3),
                "with_head": round(auc(tracks.labels[trial], together[trial]), 3),
            }
    return figures


def _paired(labels: NDArray[np.int64], alone: Floats, together: Floats, of: list[str]) -> Any:
    first, second = (auc_draws(labels, scores, of) for scores in (alone, together))
    figure: dict[str, Any] = {}
    for name, value, drawn in (
        ("alone", auc(labels, alone), first),
        ("with_head", auc(labels, together), second),
        ("gain", auc(labels, together) - auc(labels, alone), second - first),
    ):
        figure[name] = round(value, 3)
        interval = central_95(drawn)
        figure[f"{name}_95"] = None if interval is None else [round(v, 3) for v in interval]
    return figure
