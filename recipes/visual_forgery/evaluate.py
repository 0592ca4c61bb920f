"""Measure a trained visual-forgery network and, if asked, export it with its figures.

python -m recipes.visual_forgery.evaluate --run first [--control shuffled] [--export NAME]
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avdetect.nn.image_encoder import FaceForgeryConfig, FaceForgeryNet
from recipes.calibrate import fit_calibration
from recipes.datasets.face_folds import fold, sources
from recipes.datasets.faces import load_faces
from recipes.export import export_checkpoint
from recipes.forge.resynthesis import GROUPS
from recipes.visual_forgery.figures import (
    Figures,
    clip_calibration_rows,
    generated_faces,
    judge_with,
    others_clips,
    own_forgeries,
)
from recipes.visual_forgery.settings import RUNS, Settings, read_settings


def load_run(run: str, network: FaceForgeryConfig) -> FaceForgeryNet:
    """The averaged network of a run, with weights rounded to half precision as they ship."""
    state = torch.load(RUNS / run / "weights.pt", weights_only=True)
    rounded = {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}
    net = FaceForgeryNet(network)
    net.load_state_dict(rounded, strict=True)
    return net


def measure(net: FaceForgeryNet, every: int = 1) -> Figures:
    """All held-out figures; scores of the test clips under ``_scores`` (not for the card)."""
    judge = judge_with(net)
    clips, rows, scores = others_clips(judge, every)
    return {
        "own_forgeries": own_forgeries(judge),
        "others_clips": clips,
        "generated_faces": generated_faces(judge),
        "_scores": [
            [r["file"], r["video_label"], float(s)] for r, s in zip(rows, scores, strict=True)
        ],
        "_calibrated_on": clip_calibration_rows(rows).tolist(),
    }


def export(
    name: str, run: str, settings: Settings, figures: Figures, control: Figures | None
) -> Path:
    """Write ``models/<name>`` from a run and its figures; nothing in the card is typed by hand."""
    use = np.array(figures["_calibrated_on"])
    scores = np.array([score for _, _, score in figures["_scores"]])[use]
    labels = np.array([label == "fake" for _, label, _ in figures["_scores"]]).astype(int)[use]
    groups = [load_faces(group) for group in GROUPS]
    trained = {
        faces.rows[k]["source_repo"]
        for faces in groups
        for k in faces.clip[fold(faces, held_out=False)]
    }
    tables: dict[str, Any] = {
        "training": {
            "fakes": "forged from real faces by recipes/forge/faces.py; no fake of others",
            "sources": sorted(trained),
            "kinds": settings.kinds,
            "held_out_kind": "cross_blend",
            "held_out_sources": sources(
                [r for faces in groups for r in faces.rows if r["source_repo"] not in trained]
            ),
            "steps": int(torch.load(RUNS / run / "training.pt", weights_only=True)["step"]),
        },
        "calibration": {
            "fitted_on": f"{labels.sum()} fake and {len(labels) - labels.sum()} real test clips, "
            "the same that AUC is reported on (AUC does not depend on it); "
            "cllr_cross_fitted is by fits without the clip's source",
        },
        "figures": {
            "command": f"python -m recipes.visual_forgery.evaluate --run {run} "
            f"--every {figures['_every']}",
            **{key: _bare(value) for key, value in figures.items() if not key.startswith("_")},
        },
        "limits": {
            "text": "Judges single frames; no temporal evidence. Faces under 48 px or turned more "
            "than 60 degrees are not judged. See figures for each generator: an interval that "
            "reaches 0.5 means no better than chance there.",
        },
    }
    if control is not None:
        tables["figures"]["control_shuffled_labels"] = {
            "others_clips_spoken": control["others_clips"]["spoken"],
            "generated_faces_all": control["generated_faces"]["all"],
        }
    return export_checkpoint(
        name,
        role="visual_forgery",
        summary="Finds blends, resampling and redrawn skin in single face crops, with a map.",
        state=load_run(run, settings.network).state_dict(),
        config={
            k: list(v) if isinstance(v, tuple) else v for k, v in asdict(settings.network).items()
        },
        facts=tables,
        calibration=fit_calibration(scores, labels),
    )


def _bare(table: Figures) -> Figures:
    """A table whose keys are TOML's bare keys: tables keyed by files or generators become lists."""
    bare: Figures = {}
    for key, value in table.items():
        if not isinstance(value, dict):
            bare[key] = value
        elif all(re.fullmatch(r"[A-Za-z0-9_-]+", inner) for inner in value):
            bare[key] = _bare(value)
        else:
            bare[key] = [f"{inner}: {json.dumps(figure)}" for inner, figure in value.items()]
    return bare


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--run", default="first")
    parser.add_argument("--control", help="run trained with --shuffle-labels, measured before")
    parser.add_argument("--export", help="name of the folder under models/")
    parser.add_argument("--every", type=int, default=1, help="every n-th frame: a quick look")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(arguments.config)
    figures = measure(load_run(arguments.run, settings.network), arguments.every)
    figures["_every"] = arguments.every
    (RUNS / arguments.run / "figures.json").write_text(json.dumps(figures, indent=1), "utf-8")
    shown = {key: value for key, value in figures.items() if not key.startswith("_")}
    print(json.dumps(shown, indent=1))
    if arguments.export:
        control = None
        if arguments.control:
            path = RUNS / arguments.control / "figures.json"
            control = json.loads(path.read_text("utf-8"))
        print(export(arguments.export, arguments.run, settings, figures, control))


if __name__ == "__main__":
    main()
