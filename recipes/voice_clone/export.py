"""A trained run to ``models/``: figures measured on what is shipped, calibration, card.

python -m recipes.voice_clone.export --run first --control shuffled
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from avdetect.branches.voice_clone import VoiceCloneBranch, build_voice_clone
from avdetect.checkpoint import Checkpoint
from eval.manifest.row import ManifestRow
from eval.metrics import auc
from eval.protocol import read_protocol
from recipes.datasets.voices import is_fake
from recipes.export import export_checkpoint
from recipes.voice_clone.calibration import (
    calibration_figures,
    levelled_calibration,
    out_of_fold_scores,
)
from recipes.voice_clone.evaluate import (
    Trials,
    load_run,
    measure,
    measured_sets,
    per_generator,
    score_rows,
    table_of,
)
from recipes.voice_clone.recalibrate import calibration_facts
from recipes.voice_clone.rows import (
    PROTOCOL,
    development_split,
    measurable,
    shipped_split,
    voice_rows,
)
from recipes.voice_clone.samples import clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, read_settings

NAME = "voice_clone-redrawn-demos-202611"
_COMMAND = "python -m recipes.voice_clone.evaluate --model"
_CHANNELS = ("clean", "ulaw", "amr_12.2", "opus_12")
_LIMITS = {
    "training": "Some hundred synthetic clips of few voices and as many human ones, mostly English "
    "(table data). The linear judge learned the training folds whole; the network learned them but "
    "for the development fold, its vocoder their human clips without labels. Beside each "
    "human clip the judge heard a forged twin, and espeak-ng or flite; two of these voices, of "
    "the embedded samples, were kept back.",
    "generators": "It learned generators of 2017-2023. What it is worth on those of 2022-2024 "
    "stands under figures.modern: hardly more than chance; on later ones nothing was measured.",
    "fails_on": "Tables auc_by_generator: near or below 0.5 means that generator passes.",
    "channels": "Wide codecs at low rates (Opus at 12 kb/s) leave nothing to judge by: there it "
    "mostly says inconclusive. Telephone codecs: python -m eval run voice --print.",
    "where": "Stretches that stand out are found by the network; it gives a clip no score.",
    "looks": "While this judge was made, figures on vocoders and modern were seen some twenty "
    "times, those of its forerunner about ten. Read these figures as development figures.",
    "not_for": "Singing, several voices on one channel, under one second of speech, "
    "or a decision about a person without other evidence.",
}


def shipped(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with weights as they are stored: rounded to half precision."""
    state = {
        key: value.half().float() if value.is_floating_point() else value
        for key, value in checkpoint.state.items()
    }
    return replace(checkpoint, state=state)


def figures_of(
    branch: VoiceCloneBranch, channels: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Trials]]:
    """Tables for the card by set and channel, and the trials of all sets by channel."""
    tables: dict[str, Any] = {}
    trials_of: dict[str, Trials] = {}
    for name, rows in measured_sets().items():
        for channel in channels:
            trials = score_rows(branch, rows, channel)
            command = f"{_COMMAND} {NAME} --channel {channel}"
            tables.setdefault(name, {})[channel.replace(".", "_")] = {
                "command": command,
                **table_of(measure(trials)),
            }
            if channel == "clean":
                clean = per_generator(trials)
                tables[name]["auc_by_generator"] = {
                    f'"{generator}"': round(value, 3) for generator, (value, _) in clean.items()
                }
            trials_of[channel] = _joined(trials_of.get(channel), trials)
            print(f"{name} {channel}: {measure(trials)}", flush=True)
    return tables, trials_of


def _joined(some: Trials | None, more: Trials) -> Trials:
    if some is None:
        return more
    return Trials(
        rows=[*some.rows, *more.rows],
        scores=[*some.scores, *more.scores],
        n_missing=some.n_missing + more.n_missing,
    )


def better_than_chance(figures: Mapping[str, Any]) -> dict[str, bool]:
    """By set: does the whole 95 % interval of AUC, clean, lie above 0.5."""
    return {name: bool(tables["clean"]["auc_low"] > 0.5) for name, tables in figures.items()}


def control_figures(run: str) -> dict[str, Any]:
    """The same figures of the network that learned shuffled labels; they must not leave 0.5."""
    branch = build_voice_clone(load_run(run), torch.device("cpu"))
    return {
        name: {
            "command": f"python -m recipes.voice_clone.evaluate --run {run}",
            **table_of(measure(score_rows(branch, rows))),
        }
        for name, rows in measured_sets().items()
    }


def half_precision_change(checkpoint: Checkpoint, rows: list[ManifestRow]) -> float:
    """Largest change of a clip's score by storing weights in half precision."""
    scores = [
        np.array(score_rows(build_voice_clone(c, torch.device("cpu")), rows).scores)
        for c in (checkpoint, shipped(checkpoint))
    ]
    return float(np.abs(scores[0] - scores[1]).max())


def data_facts() -> dict[str, Any]:
    """Which repositories' clips were learned from, chosen by, and held out."""
    protocol, rows = read_protocol(PROTOCOL), voice_rows()
    training, test = shipped_split(rows, protocol)
    _, development = development_split(rows, protocol, read_settings(CONFIG).development_fold)
    return {
        name: {
            "n_real": sum(not is_fake(row) for row in chosen),
            "n_fake": sum(is_fake(row) for row in chosen),
            "n_speakers": len({row.person for row in chosen}),
            "sources": sorted({row.source for row in chosen}),
            "generators": sorted({row.generator for row in chosen if is_fake(row)}),
        }
        for name, chosen in {"training": training, "development": development, **test}.items()
    }


def export(run: str, control: str | None, which: str, channels: Sequence[str]) -> None:
    """Measure, calibrate and write ``models/<NAME>``."""
    trained = load_run(run, which)
    branch = build_voice_clone(shipped(trained), torch.device("cpu"))
    figures, trials_of = figures_of(branch, channels)
    protocol, rows = read_protocol(PROTOCOL), voice_rows()
    known = measurable(rows, protocol)
    training, test = shipped_split(known, protocol)
    settings = read_settings(CONFIG).judge
    measured = clip_numbers(known, NUMBERS, settings.vocoder)
    trials = out_of_fold_scores(training, protocol, measured, settings)
    calibration = levelled_calibration(branch, trials)
    worth = calibration_figures(branch, test, measured, {"cllr_bits": calibration})
    change = half_precision_change(trained, training[:24])
    facts: dict[str, Any] = {
        "vocoder": settings.vocoder,
        "limits": _LIMITS,
        "better_than_chance": better_than_chance(figures),
        "data": data_facts(),
        "figures": figures,
        "calibration": calibration_facts(NAME, worth),
        "storage": {"half_precision_changes_scores_by_at_most": round(change, 5)},
    }
    if control is not None:
        facts["control_with_shuffled_labels"] = control_figures(control)
    folder = export_checkpoint(
        NAME,
        role="voice_clone",
        summary="A linear judge of what speech loses when a vocoder draws it anew, beside a small "
        "network on its spectrogram and waveform; from fakes of public demo pages and forged twins "
        "of human clips, through codecs.",
        state=trained.state,
        config=trained.card.config,
        facts=facts,
        calibration=calibration,
    )
    print(f"wrote {folder}: {calibration}, AUC of both sets {auc_of(trials_of['clean']):.3f}")


def auc_of(trials: Trials) -> float:
    """AUC of a set's trials."""
    return auc(trials.labels, trials.scores)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", default="first", help="folder below runs/voice_clone")
    parser.add_argument("--which", default="joined", choices=("best", "final", "joined"))
    parser.add_argument("--control", help="run trained with --shuffle-labels, measured beside it")
    parser.add_argument("--channels", nargs="+", default=_CHANNELS, choices=_CHANNELS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    export(given.run, given.control, given.which, given.channels)


if __name__ == "__main__":
    main()
