"""Metrics of detection, NumPy only: label 1 = fake, higher score = more fake, fractions everywhere.

Every function names its paper or standard. They raise `ValueError` on NaN scores, on labels other
than 0 and 1, on lengths that differ and on one class only: a metric is not defined there.
"""

from eval.metrics.calibration import Reliability, cllr, ece, min_cllr, pav, reliability
from eval.metrics.cost import ASVSPOOF5_POINT, OperatingPoint, act_dcf, min_dcf
from eval.metrics.localisation import LocalisationFigures, Proposal, localisation
from eval.metrics.masks import iinc, mask_iou, pixel_accuracy, pixel_auc
from eval.metrics.ranking import (
    accuracy,
    auc,
    average_precision,
    det_curve,
    eer,
    roc_curve,
    tpr_at_fpr,
)
from eval.metrics.sync import SyncOffsetError, sync_offset_error
from eval.metrics.tandem import (
    ASVSPOOF5_ASV,
    ASVSPOOF_COSTS,
    AsvErrorRates,
    SpeakerScores,
    TandemCosts,
    a_dcf,
    asv_error_rates,
    min_tdcf,
    tandem_eer,
)
from eval.metrics.trials import mean_by_clip

__all__ = [
    "ASVSPOOF5_ASV",
    "ASVSPOOF5_POINT",
    "ASVSPOOF_COSTS",
    "AsvErrorRates",
    "LocalisationFigures",
    "OperatingPoint",
    "Proposal",
    "Reliability",
    "SpeakerScores",
    "SyncOffsetError",
    "TandemCosts",
    "a_dcf",
    "accuracy",
    "act_dcf",
    "asv_error_rates",
    "auc",
    "average_precision",
    "cllr",
    "det_curve",
    "ece",
    "eer",
    "iinc",
    "localisation",
    "mask_iou",
    "mean_by_clip",
    "min_cllr",
    "min_dcf",
    "min_tdcf",
    "pav",
    "pixel_accuracy",
    "pixel_auc",
    "reliability",
    "roc_curve",
    "sync_offset_error",
    "tandem_eer",
    "tpr_at_fpr",
]
