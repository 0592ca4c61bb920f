"""Readers of data sets in their published layouts; `DATASETS` is the only list."""

from eval.datasets import (
    asvspoof5,
    asvspoof2019_la,
    asvspoof2021,
    demo_voices,
    in_the_wild,
    mlaad,
    partialspoof,
    still_faces,
    talking_heads,
    wavefake,
)
from eval.datasets.base import Citation, Dataset

DATASETS: dict[str, Dataset] = {
    "demo_voices": demo_voices.DATASET,
    "still_faces": still_faces.DATASET,
    "talking_heads": talking_heads.DATASET,
    "asvspoof2019_la": asvspoof2019_la.DATASET,
    "asvspoof2021_la": asvspoof2021.LA,
    "asvspoof2021_df": asvspoof2021.DF,
    "asvspoof5": asvspoof5.DATASET,
    "in_the_wild": in_the_wild.DATASET,
    "mlaad": mlaad.DATASET,
    "wavefake": wavefake.DATASET,
    "partialspoof": partialspoof.DATASET,
}

__all__ = ["DATASETS", "Citation", "Dataset"]
