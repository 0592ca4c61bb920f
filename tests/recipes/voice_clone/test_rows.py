from __future__ import annotations

from avdetect.checkpoint import read_card
from eval.manifest.row import ManifestRow
from eval.protocol import read_protocol
from recipes.voice_clone.export import NAME
from recipes.voice_clone.rows import (
    PROTOCOL,
    development_split,
    measurable,
    shipped_split,
    voice_rows,
)
from recipes.voice_clone.settings import CONFIG, read_settings
from tests.shared import requires_shared

pytestmark = requires_shared


def _names(rows: list[ManifestRow], field: str) -> set[str]:
    return {getattr(row, field) for row in rows} - {""}


def test_what_is_measured_shares_nothing_with_training() -> None:
    training, test = shipped_split(voice_rows(), read_protocol(PROTOCOL))
    for fold, rows in test.items():
        for field in ("source", "speaker", "generator", "path"):
            assert not _names(training, field) & _names(rows, field), (fold, field)


def test_the_shipped_weights_saw_nothing_of_the_measured_folds() -> None:
    training, test = shipped_split(voice_rows(), read_protocol(PROTOCOL))
    measured = [row for rows in test.values() for row in rows]
    for part in ("training", "development"):
        taught = read_card(NAME).facts["data"][part]
        assert not set(taught["sources"]) & _names(measured, "source")
        assert not set(taught["generators"]) & _names(measured, "generator")
        assert set(taught["sources"]) <= _names(training, "source")


def test_development_is_a_training_fold_with_both_classes_and_names_of_its_own() -> None:
    protocol = read_protocol(PROTOCOL)
    fold = read_settings(CONFIG).development_fold
    assert fold in protocol.roles["train"]
    training, development = development_split(voice_rows(), protocol, fold)
    assert {row.label for row in development} == {"real", "fake"}
    assert {row.fold for row in development} == {fold}
    for field in ("source", "speaker", "generator"):
        assert not _names(training, field) & _names(development, field), field


def test_every_measured_fold_holds_both_classes_of_many_generators() -> None:
    _, test = shipped_split(voice_rows(), read_protocol(PROTOCOL))
    for rows in test.values():
        assert sum(row.label == "fake" for row in rows) > 90
        assert sum(row.label == "real" for row in rows) > 90
        assert len(_names(rows, "generator")) >= 10


def test_clips_that_were_coded_once_more_are_never_measured() -> None:
    rows = measurable(voice_rows(), read_protocol(PROTOCOL))
    assert len(rows) == 1502
    assert not [row for row in rows if row.id.startswith("extra/")]
