"""Calibrate the picture and synchrony branches and both fusions on folds kept for it.

    python -m recipes.fusion.measured_rows   # once for a set of branch weights
    python -m recipes.fusion.calibrate

What ships is fitted on the folds that `eval/protocols/video.toml` gives the role ``calibration``:
no network learned from them, and no figure is measured on them. Beside it, every measured fold is
judged under a fit on all the others, into ``eval/results/video/out_of_fold.csv``.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.checkpoint_writer import to_toml, write_calibration
from avdetect.fusion.subjects import FACE, SYNC, VOICE
from avdetect.nn.fusion_network import FusionNetwork
from eval import run_facts
from eval.bootstrap import bootstrap_interval, paired_interval
from eval.metrics import auc, cllr
from eval.out_of_fold import OutOfFold
from eval.protocol import Protocol, read_protocol
from recipes.export import MODELS, export_checkpoint
from recipes.fusion.fit import EQUAL_SHARES, RULES, Fit, Judges, fit, fused_llrs, is_fake
from recipes.fusion.items import FUSED
from recipes.fusion.measured_rows import Measured, measured_samples
from recipes.fusion.rows import branch_calibrations, group_of, load_branches
from recipes.out_of_fold import config_sha256, write_out_of_fold

PROCEDURE = "calibrations and fusion weights"
_RESULTS = Path(__file__).resolve().parents[2] / "eval" / "results"
_COMMAND = "python -m recipes.fusion.calibrate"


def main() -> None:
    """Fit, print, write."""
    protocol = read_protocol("video")
    names = read_bundle().checkpoints
    judges = Judges(
        branches=load_branches()[0],
        network=load_network(names["cross_attention"]),
        voice=branch_calibrations()[VOICE],
    )
    measured = measured_samples(protocol)
    kept_for_it = [m for m in measured if m.fold in protocol.roles["calibration"]]
    tested = [m for m in measured if m.fold in protocol.roles["test"]]
    llrs = {rule: cross_validate(judges, protocol, measured, rule) for rule in RULES}
    attended = cross_validate(judges, protocol, measured, "any", attention=True)
    gained = gain(measured, attended, llrs["any"])
    attention = gained["auc_95"][0] > 0.0  # else the simpler one ships behind the same interface
    shipped = fit(judges, kept_for_it, attention=attention)
    chosen = attended if attention else llrs["any"]
    figures = {
        "tested_folds": figures_of(tested, fused_llrs(judges, shipped, tested)),
        "cross_validated": figures_of(measured, chosen),
        "cross_validated_with_attention": figures_of(measured, attended),
        "attention_less_none": gained,
        "cross_validated_as_a_sum": figures_of(measured, llrs["sum"]),
        "any_less_sum": gain(measured, llrs["any"], llrs["sum"]),
    }
    write_scores(protocol, measured, chosen)
    write_fit(shipped, figures, kept_for_it)
    print(json.dumps(figures, indent=2))
    print("\n".join(f"{name}: {value}" for name, value in shipped.calibrations.items()))
    print(f"cross-attention: {shipped.added}")


def cross_validate(
    judges: Judges,
    protocol: Protocol,
    measured: list[Measured],
    rule: str,
    *,
    attention: bool = False,
) -> dict[str, float]:
    """File -> LLR under a fit on the other folds."""
    llrs: dict[str, float] = {}
    for fold in protocol.sets["all"]:
        others = [m for m in measured if m.fold != fold]
        fitted = fit(judges, others, rule, attention=attention)
        llrs |= fused_llrs(judges, fitted, [m for m in measured if m.fold == fold])
    return llrs


def write_scores(protocol: Protocol, measured: list[Measured], llrs: dict[str, float]) -> None:
    """Write the out-of-fold file."""
    scored = [
        OutOfFold(
            procedure=PROCEDURE,
            id=m.row["file"],
            fold=fold,
            score=llrs.get(m.row["file"]),
            fake_llr=llrs.get(m.row["file"]),
        )
        for fold in protocol.sets["all"]
        for m in measured
        if m.fold == fold and m.as_it_is
    ]
    write_out_of_fold(
        _RESULTS / "video" / "out_of_fold.csv",
        scored,
        commit=run_facts.commit(),
        config_sha256=config_sha256(protocol, {}),
    )


def gain(
    measured: list[Measured], llrs: dict[str, float], control: dict[str, float]
) -> dict[str, Any]:
    """Difference of AUC on the same clips, with its interval over people."""
    judged = [m for m in measured if m.as_it_is and m.row["file"] in llrs]
    labels = np.array([int(is_fake(m)) for m in judged])
    ours, theirs = (np.array([some[m.row["file"]] for m in judged]) for some in (llrs, control))
    people = [group_of(m.row) for m in judged]
    interval = paired_interval(auc, labels, theirs, ours, people)
    return {
        "auc": round(auc(labels, ours) - auc(labels, theirs), 3),
        "auc_95": [round(v, 3) for v in interval],
    }


def figures_of(measured: list[Measured], llrs: dict[str, float]) -> dict[str, float | list[float]]:
    """Figures of the clips as they are, over those with any evidence."""
    judged = [m for m in measured if m.as_it_is and m.row["file"] in llrs]
    labels = np.array([int(is_fake(m)) for m in judged])
    values = np.array([llrs[m.row["file"]] for m in judged])
    people = [group_of(m.row) for m in judged]
    return {
        "n": len(judged),
        "auc": round(auc(labels, values), 3),
        "auc_95": [round(v, 3) for v in bootstrap_interval(auc, labels, values, people)],
        "cllr": round(cllr(labels, values), 3),
    }


def load_network(name: str) -> FusionNetwork:
    """The network of an exported checkpoint."""
    checkpoint = load_checkpoint(name)
    config = checkpoint.card.config
    widths = {branch: int(config["token_widths"][branch]) for branch in FUSED}
    network = FusionNetwork(widths, width=int(config["width"]), heads=int(config["heads"]))
    network.load_state_dict(checkpoint.state, strict=True)
    return network.eval()


def write_fit(fitted: Fit, figures: dict[str, Any], used: list[Measured]) -> None:
    """Put the numbers into the models and what they rest on into their cards."""
    names = read_bundle().checkpoints
    facts = {
        "command": _COMMAND,
        "folds": sorted({m.fold for m in used}),
        "real_clips": sum(not is_fake(m) and m.as_it_is for m in used),
        "fakes_of_others": sum(is_fake(m) and m.as_it_is for m in used),
        "own_forgeries": sum(m.forged and not m.picture_alone for m in used),
        "for_the_picture_alone": sum(m.picture_alone for m in used),
    }
    for branch in (FACE, SYNC):
        write_calibration(MODELS / names[branch], fitted.calibrations[branch])
        note_in_card(names[branch], {"calibration": facts})
    write_calibration(MODELS / names["cross_attention"], fitted.added)
    note_in_card(
        names["cross_attention"],
        {"calibration": facts, "figures_on_clips": {"command": _COMMAND, **figures}},
    )
    export_late(facts)


def note_in_card(name: str, tables: dict[str, dict[str, Any]]) -> None:
    """Replace tables of a card."""
    path = MODELS / name / "card.toml"
    card = tomllib.loads(path.read_text("utf-8"))
    card.pop("figures_on_test_clips", None)
    path.write_text(to_toml(card | tables), "utf-8")


def export_late(facts: dict[str, Any]) -> None:
    """Write the late checkpoint: equal shares, for nobody knows what the next forgery is of."""
    export_checkpoint(
        read_bundle().checkpoints["late"],
        role="late",
        summary="A clip is forged if any part is: the mean of the branches' likelihood ratios.",
        state={name: torch.tensor(share) for name, share in EQUAL_SHARES.items()},
        config={"rule": "any"},
        facts={"training": {**facts, "shares": "equal, not fitted"}},
        half=False,
    )


if __name__ == "__main__":
    main()
