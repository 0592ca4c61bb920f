"""Readers of data sets in their published layouts; `DATASETS` is the only list."""

from eval.datasets.base import Citation, Dataset

DATASETS: dict[str, Dataset] = {}

__all__ = ["DATASETS", "Citation", "Dataset"]
