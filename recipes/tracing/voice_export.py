"""Fit the shipped tracer of voices on all clips, and its limits on answers of held-out ones.

python -m recipes.tracing.voice_export
"""

from __future__ import annotations

from typing import Any

import numpy as np

from avdetect.tracing.linear import LinearHead, head_tensors
from avdetect.tracing.matching import matcher_tensors
from avdetect.tracing.vocoders import HUMAN
from avdetect.tracing.voices import ROLE, VOICE_MODEL
from eval.tracing.fusing import KNOWN_KEPT, LEAST_SHARE, fit_pair, fit_weights
from eval.tracing.scores import VOICE_PAIRS, number, read_table
from eval.tracing.voice_figures import voice_lines
from eval.tracing.voices import LEAST_SPEAKERS, N_FOLDS, VoiceRow, known_families, voice_rows
from recipes.export import export_checkpoint
from recipes.tracing.settings import read_settings
from recipes.tracing.voice_folds import (
    Features,
    average_families,
    fit_known,
    read_features,
)


def main() -> None:
    """Fit, export, say where."""
    settings = read_settings()
    rows, features = read_features(voice_rows())
    names = known_families(rows, "waveform")
    everyone = np.ones(len(rows), bool)
    head = fit_known(rows, features, everyone, "waveform", names, settings.voice.ridge)
    explicit = average_families(rows, features, everyone, names)
    scale, most_novelty = _held_out(rows, features, names, settings.voice.ridge)
    config = {
        "families": list(names),
        "scale": round(scale, 4),
        # Held-out clips have one or two stretches: one limit serves for few and for many.
        "limits": {
            "most_novelty": round(most_novelty, 4),
            "most_novelty_few": round(most_novelty, 4),
            "least_share": LEAST_SHARE,
        },
        "pair_weights": [round(float(w), 4) for w in _pair_weights()],
    }
    folder = export_checkpoint(
        VOICE_MODEL,
        role=ROLE,
        summary="Names the kind of vocoder that made a voice, by statistics of its speech.",
        state=head_tensors("head", head) | matcher_tensors(explicit),
        config=config,
        facts=_facts(rows, head),
    )
    print(folder)


def _held_out(
    rows: list[VoiceRow], features: Features, names: list[str], ridge: float
) -> tuple[float, float]:
    """Scale of logits, and the novelty that most held-out clips of known families stay below."""
    scores, truth, novelty = [], [], []
    for fold in range(N_FOLDS):
        learn = np.array([row.folds["speaker"] != fold for row in rows])
        head = fit_known(rows, features, learn, "waveform", names, ridge)
        if head.names != tuple(names):
            continue  # a fold that lacks a family says nothing about all of them
        explicit = average_families(rows, features, learn, names)
        asked = np.array([row.families["waveform"] in names for row in rows]) & ~learn
        scores.append(head.scores(features[asked]))
        novelty.append(explicit.novelty(features[asked]))
        truth += [
            names.index(str(row.families["waveform"]))
            for row, is_asked in zip(rows, asked, strict=True)
            if is_asked
        ]
    of = np.array(truth)
    importance = 1.0 / np.bincount(of, minlength=len(names))[of]
    evidence = np.concatenate(scores)[:, None].astype(np.float64)
    scale = float(fit_weights(evidence, of, importance)[0])
    return scale, float(np.quantile(np.concatenate(novelty), KNOWN_KEPT))


def _pair_weights() -> np.ndarray[Any, np.dtype[np.float64]]:
    rows = read_table(VOICE_PAIRS, ("same", "standard", "scores"))
    likeness = [[number(VOICE_PAIRS, r, name) for name in ("standard", "scores")] for r in rows]
    return fit_pair(np.array(likeness), np.array([row["same"] == "1" for row in rows]))


def _facts(rows: list[VoiceRow], head: LinearHead) -> dict[str, Any]:
    kept = [row for row in rows if row.families["waveform"] in head.names]
    return {
        "training": {
            "data": "data/audio/train.csv and modern.csv: clips of demonstration pages, and human",
            "sources": sorted({row.repo for row in kept}),
            "human_clips": sum(row.generator == HUMAN for row in kept),
            "fake_clips": sum(row.generator != HUMAN for row in kept),
            "generators": len({row.generator for row in kept}) - 1,
            "families_left_out": f"those with fewer than {LEAST_SPEAKERS} speakers",
            "command": "python -m recipes.tracing.voice_folds, then .voice_export",
        },
        "figures": {"command": "python -m eval trace-figures", "printed": list(voice_lines())},
        "limits": {
            "text": "Speakers are held out in the figures, repositories are not: with repositories "
            "held out the mean recall falls to about chance, so that much of what is recognised is "
            "how a demonstration page was made. Families that nobody taught it are hardly told "
            "from the known ones. Human voices are often given to a vocoder: it does not tell "
            "whether a voice is fake. Telephone channels were not measured."
        },
    }


if __name__ == "__main__":
    main()
