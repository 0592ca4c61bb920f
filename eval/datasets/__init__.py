"""Readers of data sets in their published layouts; `DATASETS` is the only list."""

from eval.datasets import demo_voices, still_faces, talking_heads
from eval.datasets.base import Citation, Dataset

DATASETS: dict[str, Dataset] = {
    "demo_voices": demo_voices.DATASET,
    "still_faces": still_faces.DATASET,
    "talking_heads": talking_heads.DATASET,
}

__all__ = ["DATASETS", "Citation", "Dataset"]
