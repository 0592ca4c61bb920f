"""From a trained network to the branch, and to a checkpoint with its card."""

from __future__ import annotations

from pathlib import Path

import torch

from avdetect.branches.lip_sync import LipSyncBranch, build_lip_sync
from avdetect.checkpoint import Checkpoint, ModelCard, read_card
from recipes.calibrate import PROVISIONAL
from recipes.export import export_checkpoint
from recipes.lip_sync.settings import Settings
from recipes.lip_sync.streams import network_config
from recipes.lip_sync.windows import training_rows

SUMMARY = "Synchrony of lips and speech, learnt from real clips and mismatches forged from them."


def load_trained(settings: Settings, folder: Path) -> LipSyncBranch:
    """The branch of a run folder, with its weights rounded to float16 as they will ship."""
    state = torch.load(folder / "network.pt", weights_only=True)
    rounded = {
        key: value.half().float() if value.is_floating_point() else value
        for key, value in state.items()
    }
    card = ModelCard(
        name=settings.name,
        role="lip_sync",
        summary=SUMMARY,
        licence="Apache-2.0",
        weights_sha256="",
        config=network_config(settings),
        facts={},
    )
    checkpoint = Checkpoint(card=card, state=rounded, calibration=None)
    return build_lip_sync(checkpoint, torch.device("cpu"))


def export(
    settings: Settings,
    folder: Path,
    tables: dict[str, dict[str, object]],
) -> Path:
    """Write ``models/<name>``: weights and card; `recipes.fusion.calibrate` calibrates it."""
    rows, held = training_rows(frozenset(settings.held_out))
    facts: dict[str, object] = {
        "training": {
            "sources": sorted({row["source_repo"] for row in rows}),
            "clips": len(rows),
            "minutes": round(sum(float(row["duration_s"]) for row in rows) / 60, 1),
            "held_out_identities": sorted({row["identity"] for row in held}),
            "fakes": "forged by the recipe from the real clips: " + _FORGERIES,
            "command": "python -m recipes.lip_sync.train --config recipes/lip_sync/config.toml",
        },
        "figures": {
            "command": f"python -m recipes.lip_sync.evaluate --model {settings.name}",
            **tables,
        },
        "limits": {"notes": list(_LIMITS)},
    }
    if settings.encoder_model is not None:  # its terms bind whatever holds its weights
        card = read_card(settings.encoder_model)
        facts = {"licence": card.licence, "origin": str(card.facts.get("origin", "")), **facts}
    return export_checkpoint(
        settings.name,
        role="lip_sync",
        summary=SUMMARY,
        state=torch.load(folder / "network.pt", weights_only=True),
        config=network_config(settings),
        facts=facts,
        calibration=PROVISIONAL,
    )


_FORGERIES = (
    "foreign speech, re-timed speech, mouths re-chosen to fit speech, mouths of another moment, "
    "frozen, slowed and reversed mouths"
)
_LIMITS = (
    "Not better than chance on other people's fakes as a whole: the interval holds 0.5. Mouths "
    "made by Wav2Lip fit their speech better than many real recordings do and score as real.",
    "An earlier variant was measured on the test clips, and this one forges more re-made mouths "
    "because of it: the figures on fakes are not blind.",
    "The control trained for 3 + 2 epochs; in 3 epochs the true pairs already gave 0.61 of offsets "
    "within one frame.",
    "Recordings unlike the training studios agree less in this embedding and score high though "
    "real.",
    "Trained on a quarter of an hour of real video, most of it one Arabic news studio.",
    "Identities of sync.csv are estimated clusters: one person may stand on both sides of a cut.",
    "A voice exchanged in step with the lips (copy synthesis, good lip-to-speech) is in synchrony "
    "and is not this branch's to find.",
    "Singing, a second speaker's voice over this face, and dubbing are out of synchrony but need "
    "not be fakes.",
)
