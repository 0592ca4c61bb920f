"""What a cue's measurement is worth: a calibrated LLR, and how often that errs, from a checkpoint.

A checkpoint of the role ``cues`` holds, for each cue and medium, a standardised linear model over
the cue's features, fitted by logistic regression as a calibration is (Brummer & du Preez 2006), and
its out-of-fold figures. Tensors are called ``<cue>/<medium>/<name>``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from avdetect.checkpoint import Checkpoint
from avdetect.cues.base import Cue, Medium
from avdetect.errors import CheckpointError

FIGURES = (
    "auc",
    "auc_low",
    "auc_high",
    "control_auc",
    "false_alarm_rate",
    "miss_rate",
    "n_real",
    "n_fake",
)
_LEAST_OF_A_CLASS = 20  # an interval over fewer clips flatters
_FARTHEST = 4.0  # deviations: beyond what was seen in fitting, a feature says no more


def separates(auc_low: float, control_auc: float, n_of_rarer_class: int) -> bool:
    """Whether an AUC is surely above chance and above its control, over enough clips."""
    return auc_low > max(0.5, control_auc) and n_of_rarer_class >= _LEAST_OF_A_CLASS


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearLlr:
    """Features to a calibrated LLR: standardised, weighted, bounded by its evidence.

    Attributes:
        mean, deviation, weights: (K,) float64 of the features.
        offset: natural-log units.
        limit: largest absolute LLR ever claimed.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    weights: NDArray[np.float64]
    offset: float
    limit: float

    def standardised(self, features: ArrayLike) -> NDArray[np.float64]:
        """Features (..., K) in deviations from what was seen in fitting, bounded."""
        away = (np.asarray(features, np.float64) - self.mean) / self.deviation
        return np.clip(away, -_FARTHEST, _FARTHEST)

    def fake_llr(self, features: ArrayLike) -> float:
        """Calibrated natural-log likelihood ratio of (K,) features, > 0 favours fake."""
        llr = float(self.standardised(features) @ self.weights) + self.offset
        return max(-self.limit, min(self.limit, llr))


@dataclass(frozen=True, slots=True, kw_only=True)
class CueWorth:
    """One cue on one medium.

    Attributes:
        model: features to LLR.
        say: how much of its LLR enters the verdict, 0 for none.
        auc, auc_low, auc_high: separation of real from fake with its 95 % interval, out of fold.
        control_auc: what labels dealt at random within sources give: the look of sources alone.
        false_alarm_rate, miss_rate: at LLR 0, out of fold.
        n_real, n_fake: measured clips behind these figures.
    """

    model: LinearLlr
    say: float
    auc: float
    auc_low: float
    auc_high: float
    control_auc: float
    false_alarm_rate: float
    miss_rate: float
    n_real: int
    n_fake: int

    @property
    def separates(self) -> bool:
        """Whether it surely told fake from real better than chance and than the look of sources."""
        return separates(self.auc_low, self.control_auc, min(self.n_real, self.n_fake))


Worths = dict[tuple[str, Medium], CueWorth]
NO_WORTHS: Worths = {}


def read_worths(checkpoint: Checkpoint, cues: dict[str, Cue]) -> Worths:
    """The worth of every cue and medium in a checkpoint.

    Raises:
        CheckpointError: a cue is not known, or has other features than it was fitted with.
    """
    fitted = checkpoint.card.config.get("features", {})
    worths: Worths = {}
    for name, features in fitted.items():
        if name not in cues or tuple(features) != cues[name].features:
            raise CheckpointError(
                f"{checkpoint.card.name}: was fitted for other features of the cue {name!r}; "
                "fit it anew with python -m recipes.cues.train"
            )
    try:
        for key in sorted(key for key in checkpoint.state if key.endswith("/weights")):
            name, medium, _ = key.split("/")
            worths[name, Medium(medium)] = _read(checkpoint, f"{name}/{medium}")
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{checkpoint.card.name}: not a checkpoint of cues") from error
    return worths


def _read(checkpoint: Checkpoint, prefix: str) -> CueWorth:
    def array(name: str) -> NDArray[np.float64]:
        return checkpoint.state[f"{prefix}/{name}"].double().numpy()

    figures = dict(zip(FIGURES, array("figures").tolist(), strict=True))
    n_real, n_fake = int(figures.pop("n_real")), int(figures.pop("n_fake"))
    return CueWorth(
        model=LinearLlr(
            mean=array("mean"),
            deviation=array("deviation"),
            weights=array("weights"),
            offset=float(array("offset").item()),
            limit=float(array("limit").item()),
        ),
        say=float(array("say").item()),
        n_real=n_real,
        n_fake=n_fake,
        **figures,
    )
