from pathlib import Path

import eval.datasets
from eval.datasets import DATASETS
from eval.datasets.table import datasets_markdown

_README = Path(eval.datasets.__file__).with_name("README.md")


def test_the_readme_is_what_the_readers_say():
    # Cure: python -m eval datasets --markdown > eval/datasets/README.md
    assert _README.read_text("utf-8") == datasets_markdown()


def test_every_reader_keeps_its_name_and_cites_where_its_layout_was_read():
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.title
        assert dataset.layout.endswith("\n")
        assert dataset.citations
        assert len(set(dataset.splits)) == len(dataset.splits)
        assert set(dataset.held_out) <= {"speaker", "identity", "source", "generator"}
