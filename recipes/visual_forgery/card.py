"""From a run to ``models/<name>``: weights, calibration and a card whose figures were measured."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from avdetect.branches.visual_forgery import LARGEST_YAW_DEG, SMALLEST_FACE_PX
from avdetect.nn.face_network import FaceConfig, FaceNetwork, build_face_network, pin_backbone
from avdetect.nn.map_contrast import MapContrast
from avdetect.nn.trained_state import load_trained_state, trained_state
from recipes.calibrate import PROVISIONAL
from recipes.datasets.face_folds import fold, sources
from recipes.datasets.faces import load_faces
from recipes.export import export_checkpoint
from recipes.forge.faces import KINDS
from recipes.forge.resynthesis import GROUPS
from recipes.visual_forgery.figures import TWINS_PER_KIND, Figures
from recipes.visual_forgery.settings import RUNS, Settings
from recipes.visual_forgery.train import steps_of


def load_run(run: str, network: FaceConfig) -> FaceNetwork:
    """The averaged network of a run, with weights rounded to half precision as they ship."""
    net = build_face_network(network)
    load_trained_state(net, _as_shipped(RUNS / run / "weights.pt"))
    return net


def load_contrast(run: str) -> MapContrast | None:
    """What `recipes.visual_forgery.contrast` wrote of a run; None where it did not."""
    path = RUNS / run / "contrast.pt"
    if not path.is_file():
        return None
    contrast = MapContrast()
    contrast.load_state_dict(_as_shipped(path))
    return contrast.eval()


def _as_shipped(path: Path) -> dict[str, Tensor]:
    """Saved weights rounded to half precision: what is measured is what a checkpoint will hold."""
    state: dict[str, Tensor] = torch.load(path, weights_only=True)
    return {k: v.half().float() if v.is_floating_point() else v for k, v in state.items()}


def export(
    name: str, run: str, settings: Settings, figures: Figures, control: tuple[str, Figures] | None
) -> Path:
    """Write ``models/<name>`` from a run and its figures; nothing in the card is typed by hand."""
    tables: dict[str, Any] = {
        "training": _training_facts(run, settings),
        "figures": {
            "command": f"python -m recipes.visual_forgery.evaluate --model {name}"
            + (f" --every {figures['_every']}" if figures["_every"] > 1 else "")
            + (f" --pairs {figures['_pairs']}" if figures["_pairs"] != TWINS_PER_KIND else ""),
            **{key: _bare(value) for key, value in figures.items() if not key.startswith("_")},
        },
        "limits": {"text": _limits(figures, control)},
    }
    if control is not None:
        tables["figures"]["control_shuffled_labels"] = {
            "steps": steps_of(RUNS / control[0] / "training.pt"),
            "every": control[1]["_every"],
            "others_clips_spoken": control[1]["others_clips"]["spoken"],
            "generated_faces_all": control[1]["generated_faces"]["all"],
        }
    state = trained_state(load_run(run, settings.network))
    config = {
        k: list(v) if isinstance(v, tuple) else v
        for k, v in asdict(pin_backbone(settings.network)).items()
    }
    contrast = load_contrast(run)
    if contrast is not None:
        state |= {f"contrast.{key}": value for key, value in contrast.state_dict().items()}
        config["contrast"] = True
    return export_checkpoint(
        name,
        role="visual_forgery",
        summary="Finds blends, resampling and redrawn skin in single face crops, with a map.",
        state=state,
        config=config,
        facts=tables,
        calibration=PROVISIONAL,
    )


def _training_facts(run: str, settings: Settings) -> dict[str, Any]:
    groups = [load_faces(group) for group in GROUPS]
    trained = {
        faces.rows[k]["source_repo"]
        for faces in groups
        for k in faces.clip[fold(faces, held_out=False)]
    }
    unseen = [r for faces in groups for r in faces.rows if r["source_repo"] not in trained]
    return {
        "fakes": "forged from real faces by recipes/forge/faces.py; no fake of others",
        "sources": sorted(trained),
        "kinds": settings.kinds,
        "held_out_kinds": sorted(set(KINDS) - settings.kinds.keys()),
        "held_out_sources": sources(unseen),
        "held_out_people": "one known person in four, see recipes/datasets/face_folds.py",
        "steps": steps_of(RUNS / run / "training.pt"),
        "pairs_per_step": settings.training.pairs_per_batch,
    }


def _limits(figures: Figures, control: tuple[str, Figures] | None) -> str:
    """What the figures do and do not carry, in words that follow from them."""
    at_chance = [
        name
        for name, figure in figures["others_clips"]["generators"].items()
        if figure["auc_95"][0] <= 0.5
    ]
    text = (
        "Judges single frames; no evidence over time. "
        f"Faces under {SMALLEST_FACE_PX:.0f} px or turned more than {LARGEST_YAW_DEG:.0f} "
        f"degrees are not judged. Not shown to be better than chance on: {', '.join(at_chance)}."
    )
    text += _limits_of_maps(figures["masks"]["all"])
    whole = figures["others_clips"]["spoken_as_whole_pictures"]["auc"]
    if whole != figures["others_clips"]["spoken"]["auc"]:
        text += (
            " Frames of a video are judged by what their map marks against the rest of the map; a "
            "face that is drawn anew with all around it leaves that nothing to compare. That "
            "reading was chosen after figures on others' clips were seen (as whole pictures: "
            f"{whole})."
        )
    spoken = figures["others_clips"]["spoken"]
    if spoken["auc_95_by_source"][0] <= 0.5:
        text += (
            " Over all lip-sync and talking-portrait clips the interval by source reaches 0.5: "
            f"AUC {spoken['auc']}, {spoken['auc_95_by_source']}."
        )
    if control is not None:
        text += (
            " A network trained on shuffled labels has AUC "
            f"{control[1]['others_clips']['spoken']['auc']} on those clips and "
            f"{control[1]['generated_faces']['all']['auc']} on the generated faces: where this is "
            "far from 0.5, content alone separates the two sides, and figures there tell little."
        )
    return text


def _limits_of_maps(maps: Figures) -> str:
    """What the maps are worth beside one mask for every face."""
    ours, baseline = maps["network"], maps["mean_training_mask"]
    better = ours["pixel_auc_95"][0] > baseline["pixel_auc_95"][1]
    return (
        f" Maps of own forgeries: pixel AUC {ours['pixel_auc']}, the same mean mask laid on every "
        f"face {baseline['pixel_auc']}: {'better' if better else 'not shown to be better'} than "
        "knowing where forgeries usually lie."
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
