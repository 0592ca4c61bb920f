"""Decode, forge and send the training clips through channels: ``python -m …prepare``."""

from __future__ import annotations

from eval.voice_split import voice_split
from recipes.datasets.voices import prepare_store
from recipes.voice_clone.settings import STORE


def main() -> None:
    """Prepare training and development clips; safe to interrupt and to run again."""
    split = voice_split()
    prepare_store([*split.training, *split.development], STORE)


if __name__ == "__main__":
    main()
