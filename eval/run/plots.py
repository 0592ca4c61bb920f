"""DET, ROC, reliability and score histogram of each answer as SVG, the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

from eval import metrics
from eval.manifest.row import ManifestRow
from eval.run.contenders import Contender
from eval.run.figures import BANK_LLR
from eval.run.store import write_whole
from eval.score_file import ScoredTrials

Floats = NDArray[np.float64]
Draw = Callable[[Axes], None]
_STYLE: Any = {
    "svg.hashsalt": "avdetect",  # ids inside the file, else random
    "svg.fonttype": "none",  # words stay words: searchable, and smaller
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "legend.frameon": False,
}
_OURS = "#0b3d91"
_OTHERS = ("#d1495b", "#2a9d8f", "#e9a03b", "#7d5ba6", "#6c757d", "#9c6644", "#3a86ff", "#8ac926")
_KINDS = ("weights", "procedure", "peer")  # whose plots they are, if there are several
_DET_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95)
_DET_EDGES = (0.005, 0.98)


def write_plots(
    folder: Path, rows: Sequence[ManifestRow], contenders: Sequence[Contender]
) -> list[Path]:
    """Four plots for each of our answers, or of the procedure where there are none; peers beside.

    Args:
        folder: made if it is not there; files of the same names are overwritten.
        rows: of one population.
        contenders: ours and others; those without both classes are left out.

    Returns:
        The files written.
    """
    shown = [c for c in contenders if _has_both(c.trials(rows))]
    written = []
    kind = min((c.kind for c in shown), key=_KINDS.index, default="peer")
    for ours in (c for c in shown if c.kind == kind != "peer"):
        others = [c for c in shown if c.question == ours.question and c.kind != kind]
        curves = [(c.name, c.trials(rows)) for c in (ours, *others)]
        plots: dict[str, Draw] = {
            "det": partial(_det, curves=curves),
            "roc": partial(_roc, curves=curves),
            "reliability": partial(_reliability, trials=curves[0][1]),
            "histogram": partial(_histogram, trials=curves[0][1]),
        }
        stem = re.sub(r"[^\w-]+", "_", ours.name)
        for name, draw in plots.items():
            path = folder / f"{stem}_{name}.svg"
            write_whole(path, _svg(draw, f"{ours.name} ({ours.question.truth})"))
            written.append(path)
    return written


def _svg(draw: Draw, title: str) -> str:
    with rc_context(_STYLE):
        figure = Figure(figsize=(5.6, 5.4), layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(title, loc="left", fontweight="bold")
        draw(axes)
        buffer = io.StringIO()
        FigureCanvasSVG(figure)
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        return buffer.getvalue()


def _det(axes: Axes, curves: Sequence[tuple[str, ScoredTrials]]) -> None:
    """Detection error trade-off on probit axes (Martin et al. 1997)."""
    for number, (name, trials) in enumerate(curves):
        false_alarm, hit, _ = metrics.roc_curve(trials.is_fake, trials.scores)
        eer = metrics.eer(trials.is_fake, trials.scores)
        axes.plot(
            _probit(false_alarm),
            _probit(1.0 - hit),
            drawstyle="steps-post",
            label=f"{name}: EER {100 * eer:.1f} %",
            **_line(number),
        )
    low, high = _probit(np.asarray(_DET_EDGES))
    axes.plot([low, high], [low, high], color="#bbbbbb", linewidth=0.8, linestyle=":")
    ticks = _probit(np.asarray(_DET_TICKS))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [f"{100 * tick:g}" for tick in _DET_TICKS])
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.set_xlabel("real clips flagged (false alarms), %")
    axes.set_ylabel("fakes passed (misses), %")
    _legend(axes)


def _roc(axes: Axes, curves: Sequence[tuple[str, ScoredTrials]]) -> None:
    for number, (name, trials) in enumerate(curves):
        false_alarm, hit, _ = metrics.roc_curve(trials.is_fake, trials.scores)
        auc = metrics.auc(trials.is_fake, trials.scores)
        axes.plot(100 * false_alarm, 100 * hit, label=f"{name}: AUC {auc:.3f}", **_line(number))
    axes.plot([0, 100], [0, 100], color="#bbbbbb", linewidth=0.8, linestyle=":")
    axes.axvline(1.0, color="#bbbbbb", linewidth=0.8, linestyle="--")
    axes.set(xlim=(0, 100), ylim=(0, 100.5), aspect="equal")
    axes.set_xlabel("real clips flagged (false alarms), %; dashed: 1 %")
    axes.set_ylabel("fakes flagged (detected), %")
    _legend(axes)


def _reliability(axes: Axes, trials: ScoredTrials) -> None:
    bins = metrics.reliability(trials.is_fake, trials.scores)
    ece = metrics.ece(trials.is_fake, trials.scores)
    cllr = metrics.cllr(trials.is_fake, trials.scores)
    least = metrics.min_cllr(trials.is_fake, trials.scores)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=0.8, linestyle=":", label="calibrated")
    axes.plot(bins.claimed, bins.observed, color=_OURS, linewidth=1.2)
    axes.scatter(
        bins.claimed,
        bins.observed,
        s=12 + 400 * bins.weight,
        color=_OURS,
        alpha=0.75,
        label=f"ECE {ece:.3f}, Cllr {cllr:.3f}, minCllr {least:.3f}; area = share of clips",
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.04, 1.04), aspect="equal")
    axes.set_xlabel("probability of fake that the LLR claims at even odds")
    axes.set_ylabel("share of fakes at even odds")
    _legend(axes)


def _histogram(axes: Axes, trials: ScoredTrials) -> None:
    edges = np.histogram_bin_edges(trials.scores, bins=30)
    for is_fake, name, colour in ((False, "real", "#2a9d8f"), (True, "fake", "#d1495b")):
        scores = trials.scores[trials.is_fake == is_fake]
        weights = np.full(scores.size, 100.0 / scores.size)
        axes.hist(
            scores,
            bins=edges.tolist(),
            weights=weights,
            color=colour,
            alpha=0.55,
            label=f"{name}: {scores.size} clips, median {np.median(scores):+.2f}",
        )
    axes.axvline(0.0, color="#555555", linewidth=0.8)
    if edges[-1] > BANK_LLR:
        label = f"{BANK_LLR:.2f}: 1 % of real if calibrated"
        axes.axvline(BANK_LLR, color="#555555", linewidth=0.8, linestyle="--", label=label)
    axes.set_xlabel("fake_llr (natural logarithm); above 0 favours fake")
    axes.set_ylabel("share of the class, %")
    _legend(axes)


def _legend(axes: Axes) -> None:
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=2, fontsize=8.0)


def _line(number: int) -> dict[str, Any]:
    if number == 0:
        return {"color": _OURS, "linewidth": 2.0, "zorder": 3}
    return {"color": _OTHERS[(number - 1) % len(_OTHERS)], "linewidth": 1.0}


def _probit(shares: Floats) -> Floats:
    inverse = NormalDist().inv_cdf
    return np.array([inverse(share) for share in np.clip(shares, 1e-4, 1.0 - 1e-4)])


def _has_both(trials: ScoredTrials) -> bool:
    return bool(trials.is_fake.any() and not trials.is_fake.all())
