"""Metrics of detection, NumPy only: label 1 = fake, higher score = more fake, fractions everywhere.

Every function names its paper or standard. They raise `ValueError` on NaN scores, on labels other
than 0 and 1, on lengths that differ and on one class only: a metric is not defined there.
"""

from eval.metrics.calibration import Reliability, cllr, ece, min_cllr, pav, reliability
from eval.metrics.cost import ASVSPOOF5_POINT, OperatingPoint, act_dcf, min_dcf
from eval.metrics.ranking import auc, average_precision, eer, roc_curve, tpr_at_fpr

__all__ = [
    "ASVSPOOF5_POINT",
    "OperatingPoint",
    "Reliability",
    "act_dcf",
    "auc",
    "average_precision",
    "cllr",
    "ece",
    "eer",
    "min_cllr",
    "min_dcf",
    "pav",
    "reliability",
    "roc_curve",
    "tpr_at_fpr",
]
