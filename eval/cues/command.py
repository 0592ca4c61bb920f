"""``python -m eval cues``: measure every cue, print what each is worth and whether they help."""

from __future__ import annotations

import csv
import importlib
import json
import pkgutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track

from avdetect.branches.visual_forgery import VisualForgeryBranch
from avdetect.cues import CUES, choose_cues
from avdetect.cues.base import Cue, CueTools, Medium
from avdetect.observation import Observation
from eval.cues import made
from eval.cues.figures import Figures, figure_table, figures
from eval.cues.fusion import Gain, gain
from eval.cues.gather import CueRow, Outputs, gather, read_rows, write_rows
from eval.cues.material import Sample, measured_cues, samples
from eval.cues.scores import controls, read_scores, score, write_scores
from eval.cues.verdicts import verdicts_of
from eval.run.clips import spread
from eval.run.command import RESULTS
from eval.shared_data import shared_root

OUT = RESULTS / "cues"
ROWS = Path("runs/cues/rows")
_COSTS, _FUSION, _MADE, _CONTROLS = "costs.csv", "fusion.json", "made.json", "controls.json"
_N_MADE, _SEED = 100, 0


def cues(
    names: Annotated[str, typer.Argument(help="all, or names of cues with commas")] = "all",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="measure anew; else what was measured is printed")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=2, help="only so many clips of each medium, nothing is kept")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="folder of observations: faces are found once for all runs")
    ] = None,
    medium: Annotated[
        list[Medium] | None, typer.Option(help="measure on these alone; default all")
    ] = None,
    made_too: Annotated[
        bool, typer.Option("--made", help="also the figures on files made in code")
    ] = False,
) -> None:
    """What each cue is worth on the data folder, folds by source, and whether cues help."""
    chosen = list(choose_cues(names))
    media = medium or list(Medium)
    if limit is not None:
        _try_out(chosen, media, limit, cache)
    elif fresh:
        measure(chosen, media, cache)
    if made_too:
        write_made(chosen)
    if limit is None:
        print(report(chosen))


def measure(chosen: Sequence[Cue], media: Sequence[Medium], cache: Path | None) -> None:
    """Measure cues on all clips, then fit and score every cue that has rows, fold by fold."""
    root = shared_root()
    for each in media:
        found = measured_cues(chosen, each)
        clips = samples(each, root)
        if found:
            for name, rows in _gathered(found, clips, root, cache, each).items():
                write_rows(ROWS / each / f"{name}.csv", CUES[name], rows)
        score_medium(each, clips)


def score_medium(medium: Medium, clips: Sequence[Sample]) -> None:
    """Out-of-fold scores, costs and the fusion's gain of one medium, from the rows on disk."""
    rows = rows_of(medium)
    if not rows:
        return
    scored, control = score(clips, rows), controls(clips, rows)
    write_scores(OUT / f"{medium}.csv", scored)
    _update_json(OUT / _CONTROLS, {str(medium): control})
    _write_costs(medium, rows)
    useful = {
        name: found
        for name, found in rows.items()
        if figures(CUES[name], medium, scored, control.get(name))[0].separates
    }
    joined = gain(medium, clips, useful, verdicts_of(medium, RESULTS)) if useful else None
    _update_json(OUT / _FUSION, {str(medium): None if joined is None else _gain_facts(joined)})


def rows_of(medium: Medium) -> dict[str, list[CueRow]]:
    """Cue -> its rows on a medium, of all cues measured there."""
    return {
        cue.name: read_rows(path, cue, medium)
        for cue in measured_cues(list(CUES.values()), medium)
        if (path := ROWS / medium / f"{cue.name}.csv").is_file()
    }


def report(chosen: Sequence[Cue]) -> str:
    """Every table, from the files under ``eval/results/cues``."""
    costs = _read_costs()
    found: list[Figures] = []
    for medium in Medium:
        path = OUT / f"{medium}.csv"
        if path.is_file():
            scored = read_scores(path)
            for cue in measured_cues(list(chosen), medium):
                found += figures(cue, medium, scored, control_of(cue, medium))
    parts = [figure_table(found, costs)]
    parts += [f"{title}\n{text}" for title, text in _read_made(chosen)]
    parts += [gain_words(medium, facts) for medium, facts in _read_json(OUT / _FUSION).items()]
    return "\n\n".join(parts)


def control_of(cue: Cue, medium: Medium) -> float | None:
    """The control's AUC, None where it was not run."""
    found: float | None = _read_json(OUT / _CONTROLS).get(medium, {}).get(cue.name)
    return found


def gain_words(medium: str, facts: Mapping[str, Any] | None) -> str:
    """The fusion's gain in a paragraph."""
    if facts is None:
        return f"{medium}: no cue separates, so none is joined to the verdict"
    says = ", ".join(f"{name} {say:.2f}" for name, say in facts["says"].items()) or "none"
    joined = ", ".join(facts["joined"])
    lines = [
        f"{medium}: verdict joined by the cues that separate ({joined}), every fold held out once, "
        f"{facts['n_real']} real / {facts['n_fake']} fake"
    ]
    for name in ("auc", "cllr"):
        alone, joined = facts[f"{name}_alone"], facts[f"{name}_joined"]
        by, low, high = facts[f"{name}_gain"]
        lines.append(f"  {name}: {alone:.3f} -> {joined:.3f}, {by:+.3f} [{low:+.3f}, {high:+.3f}]")
    lines.append(f"  weights fitted on all folds: {says}")
    word = "surely better" if facts["helps"] else "not surely better: cues get no say"
    return "\n".join([*lines, f"  the verdict is {word}"])


def write_made(chosen: Sequence[Cue]) -> None:
    """Run every cue's figures on files made in code and keep them."""
    known = {module.name for module in pkgutil.iter_modules(made.__path__)}
    for cue in chosen:
        if cue.name in known:
            module = importlib.import_module(f"eval.cues.made.{cue.name}")
            found = module.figures(_N_MADE, _SEED)
            _update_json(OUT / _MADE, {cue.name: [list(pair) for pair in found]})


def _read_made(chosen: Sequence[Cue]) -> list[tuple[str, str]]:
    kept = _read_json(OUT / _MADE)
    return [
        (f"{cue.name}, on files made in code:", "\n".join(f"  {k}: {v}" for k, v in kept[cue.name]))
        for cue in chosen
        if cue.name in kept
    ]


def _try_out(chosen: list[Cue], media: Sequence[Medium], limit: int, cache: Path | None) -> None:
    root, found = shared_root(), list[Figures]()
    costs: dict[tuple[str, Medium], float] = {}
    for medium in media:
        wanted = measured_cues(chosen, medium)
        if not wanted:
            continue
        clips = list(_spread(samples(medium, root), limit))
        rows = _gathered(wanted, clips, root, cache, medium)
        scored, control = score(clips, rows), controls(clips, rows)
        for cue in wanted:
            found += figures(cue, medium, scored, control.get(cue.name))
            costs[cue.name, medium] = _cost_ms(rows[cue.name])
            missing = sorted({row.missing for row in rows[cue.name] if row.missing})
            print(f"{cue.name} on {medium}: abstained because: {missing[:5]}")
    print(figure_table(found, costs))


def _spread(clips: Sequence[Sample], limit: int) -> list[Sample]:
    kept = {row.id for row in spread([clip.row for clip in clips], limit)}
    return [clip for clip in clips if clip.row.id in kept]


def _gathered(
    chosen: Sequence[Cue], clips: Sequence[Sample], root: Path, cache: Path | None, medium: Medium
) -> dict[str, list[CueRow]]:
    tools, branches = _tools(medium)
    console = Console(stderr=True)
    rows: dict[str, list[CueRow]] = defaultdict(list)
    for sample in track(
        clips, f"cues on {medium}", console=console, disable=not console.is_terminal
    ):
        for row in gather(chosen, [sample], root, tools=tools, branches=branches, cache=cache):
            rows[row.cue].append(row)
    return dict(rows)


def _tools(medium: Medium) -> tuple[CueTools, Any]:
    """What cues borrow, and the picture branch where a picture is measured."""
    if medium is Medium.SOUND:
        return CueTools(), lambda observation: {}
    from avdetect.detector import Detector

    branch = Detector.load(device="cpu").judges.branches["visual_forgery"]
    assert isinstance(branch, VisualForgeryBranch)

    def run(observation: Observation) -> Outputs:
        return {branch.name: branch.run([observation])[0]}

    return CueTools(face_network=branch.network, device=torch.device("cpu")), run


def _cost_ms(rows: Sequence[CueRow]) -> float:
    media_s = sum(row.media_s for row in rows)
    return 1000.0 * sum(row.cpu_s for row in rows) / media_s if media_s else 0.0


def _write_costs(medium: Medium, rows: Mapping[str, Sequence[CueRow]]) -> None:
    costs = _read_costs() | {(name, medium): _cost_ms(found) for name, found in rows.items()}
    with (OUT / _COSTS).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["cue", "medium", "ms_per_s"])
        for (name, each), cost in sorted(costs.items()):
            writer.writerow([name, each, f"{cost:.2f}"])


def _read_costs() -> dict[tuple[str, Medium], float]:
    path = OUT / _COSTS
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as stream:
        return {
            (row["cue"], Medium(row["medium"])): float(row["ms_per_s"])
            for row in csv.DictReader(stream)
        }


def _gain_facts(found: Gain) -> dict[str, Any]:
    return {
        "joined": list(found.cues),
        "n_real": found.n_real,
        "n_fake": found.n_fake,
        "auc_alone": found.alone[0],
        "auc_joined": found.joined[0],
        "auc_gain": list(found.auc_gain),
        "cllr_alone": found.alone[1],
        "cllr_joined": found.joined[1],
        "cllr_gain": list(found.cllr_gain),
        "says": dict(found.says),
        "helps": found.helps,
    }


def _read_json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found


def _update_json(path: Path, facts: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    known = _read_json(path) | dict(facts)
    path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", "utf-8")
