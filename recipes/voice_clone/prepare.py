"""Decode, forge and send the training clips through channels: ``python -m …prepare``."""

from __future__ import annotations

from eval.protocol import read_protocol
from recipes.datasets.voices import prepare_store
from recipes.voice_clone.rows import PROTOCOL, shipped_split, voice_rows
from recipes.voice_clone.settings import STORE


def main() -> None:
    """Prepare training clips, those of the development fold too; safe to interrupt and repeat."""
    training, _ = shipped_split(voice_rows(), read_protocol(PROTOCOL))
    prepare_store(training, STORE)


if __name__ == "__main__":
    main()
