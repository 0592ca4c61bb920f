"""Fit what each cue is worth, on each medium, and ship it: ``python -m recipes.cues.train``.

Features come from ``python -m eval cues --fresh``. The models that ship are fitted on all measured
clips; the figures beside them are those of models that had not seen the clip's fold, and their
claims are scaled to what was right out of fold. A cue gets a say in the verdict only on a medium
where the fusion with cues was surely better.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch
import typer

from avdetect.cues import CUES
from avdetect.cues.base import Cue, Medium
from avdetect.cues.worth import FIGURES
from avdetect.errors import DataNotFoundError
from eval.cues.command import OUT, control_of, rows_of
from eval.cues.figures import Figures, figures
from eval.cues.fit import fit_linear, tempered, tempering
from eval.cues.gather import CueRow
from eval.cues.material import LONGEST_S, STILL_PX, STILL_QUALITY, Sample, samples
from eval.cues.scores import Scored, read_scores, usable
from eval.shared_data import shared_root
from recipes.export import export_checkpoint

NAME = "cues-linear-measured-202611"
_LIMITS = (
    "Small sets, few people and generators: a cue that is not surely better than chance there says "
    "nothing, and one that is may still fail on other generators. Photographs were brought to "
    f"{STILL_PX} px and JPEG quality {STILL_QUALITY} before they were measured, videos cut to "
    f"{LONGEST_S:g} s: traces that this erases are measured on files made in code instead."
)


def main(
    name: Annotated[str, typer.Option(help="folder below models/")] = NAME,
) -> None:
    """Fit every cue that was measured and write the checkpoint."""
    state: dict[str, torch.Tensor] = {}
    table: dict[str, Any] = {}
    for medium in Medium:
        measured = _measured(medium)
        for cue, found in measured.figures:
            state |= _worth(cue, measured, found)
            table.setdefault(cue.name, {})[medium] = _facts(found)
    if not state:
        raise DataNotFoundError("no cue was measured: run python -m eval cues --fresh first")
    folder = export_checkpoint(
        name,
        role="cues",
        summary="What each forensic cue is worth: a linear model of its features, by medium.",
        state=state,
        config={
            "enters_verdict": any(
                float(value) > 0 for key, value in state.items() if key.endswith("/say")
            ),
            "features": {cue: list(CUES[cue].features) for cue in table},
        },
        facts={
            "training": {
                "command": "python -m eval cues --fresh && python -m recipes.cues.train",
                "data": "the clips that eval/protocols/video, voice and faces cut by source",
                "folds": "by source: figures are of models that had not seen the clip's fold",
            },
            "figures": {"command": "python -m eval cues", **table},
            "limits": {"text": _LIMITS},
        },
        half=False,
    )
    print(f"wrote {folder}: {len(state) // 7} models of {len(table)} cues")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """All that was measured on one medium, read once; cues with figures on both classes."""

    medium: Medium
    clips: list[Sample]
    rows: dict[str, list[CueRow]]
    scored: list[Scored]

    @property
    def figures(self) -> list[tuple[Cue, Figures]]:
        found = [
            (cue, figures(cue, self.medium, self.scored, control_of(cue, self.medium))[0])
            for cue in (CUES[name] for name in self.rows)
        ]
        return [(cue, figure) for cue, figure in found if figure.low is not None]


def _measured(medium: Medium) -> _Measured:
    rows = rows_of(medium)
    return _Measured(
        medium=medium,
        clips=samples(medium, shared_root()) if rows else [],
        rows=rows,
        scored=read_scores(OUT / f"{medium}.csv") if rows else [],
    )


def _worth(cue: Cue, measured: _Measured, found: Figures) -> dict[str, torch.Tensor]:
    medium, scored = measured.medium, measured.scored
    judged = usable(measured.clips, measured.rows[cue.name], cue)
    model = fit_linear([row.features for _, row, _ in judged], [label for _, _, label in judged])
    told = {row.id: row.llrs[cue.name] for row in scored if cue.name in row.llrs}
    held_out = [(told[s.row.id], label) for s, _, label in judged if s.row.id in told]
    factor = tempering([llr for llr, _ in held_out], [label for _, label in held_out])
    model = tempered(model, factor)
    numbers = {
        "mean": model.mean,
        "deviation": model.deviation,
        "weights": model.weights,
        "offset": np.array([model.offset]),
        "limit": np.array([model.limit]),
        "say": np.array([_say(cue, medium) / factor if factor else 0.0]),
        "figures": np.array([_figure(found, name) for name in FIGURES]),
    }
    return {
        f"{cue.name}/{medium}/{name}": torch.from_numpy(np.asarray(array, np.float32))
        for name, array in numbers.items()
    }


def _say(cue: Cue, medium: Medium) -> float:
    """Its weight in the verdict, from a fusion that was surely better with cues; else 0."""
    path = OUT / "fusion.json"
    facts = json.loads(path.read_text("utf-8")).get(medium) if path.is_file() else None
    return float(facts["says"].get(cue.name, 0.0)) if facts and facts["helps"] else 0.0


def _figure(found: Figures, name: str) -> float:
    value = getattr(found, {"auc_low": "low", "auc_high": "high"}.get(name, name))
    return float("nan") if value is None else float(value)


def _facts(found: Figures) -> dict[str, Any]:
    return {
        "n": f"{found.n_real} real, {found.n_fake} fake",
        "judged": round(found.judged, 3),
        "auc": round(found.auc or 0.0, 3),
        "auc_95": [round(found.low or 0.0, 3), round(found.high or 0.0, 3)],
        "false_alarm_rate": round(found.false_alarm_rate or 0.0, 3),
        "miss_rate": round(found.miss_rate or 0.0, 3),
        "control_auc": round(found.control_auc or 0.0, 3),
        "separates": found.separates,
    }


if __name__ == "__main__":
    typer.run(main)
