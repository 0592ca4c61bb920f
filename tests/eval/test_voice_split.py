from __future__ import annotations

from eval.voice_split import is_fake, modern_rows, voice_split
from tests.shared import requires_shared


@requires_shared
def test_no_source_speaker_or_generator_stands_on_both_sides() -> None:
    split = voice_split()
    for column in ("source_repo", "speaker", "file"):
        used = {row[column] for row in [*split.training, *split.development]}
        assert not used & {row[column] for row in split.held_out}, column
        assert not used & {row[column] for row in modern_rows()}, column
    learned = {row["generator"] for row in [*split.training, *split.development] if is_fake(row)}
    assert not learned & {row["generator"] for row in split.held_out if is_fake(row)}


@requires_shared
def test_training_and_development_share_no_source_and_no_speaker() -> None:
    split = voice_split()
    for column in ("source_repo", "speaker"):
        assert not {r[column] for r in split.training} & {r[column] for r in split.development}


@requires_shared
def test_the_held_out_part_is_a_sixth_of_both_classes_by_many_generators() -> None:
    held_out = voice_split().held_out
    fakes = [row for row in held_out if is_fake(row)]
    assert len(fakes) > 90
    assert len(held_out) - len(fakes) > 90
    assert len({row["generator"] for row in fakes}) >= 10
    assert not any(row["file"].startswith("extra/") for row in held_out)
