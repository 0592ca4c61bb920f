from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.protocol import read_protocol
from recipes.datasets.voices import is_fake
from recipes.forge.neural import twins
from recipes.forge.neural.settings import CONFIGS, read_settings
from recipes.forge.neural.speech import clean_speech, human_rows, is_unseen
from tests.shared import requires_shared


@requires_shared
def test_vocoders_never_hear_what_is_measured() -> None:
    protocol = read_protocol("voice")
    measured = {s for fold in protocol.roles["test"] for s in protocol.folds[fold]}
    for config in CONFIGS.glob("*_*.toml"):
        rows = human_rows(read_settings(config).training.held_out_folds)
        assert len(rows) > 1_000
        assert not any(is_fake(row) for row in rows)
        assert not {row.source for row in rows} & measured
    unseen = {row.person for row in rows if is_unseen(row)}
    assert not unseen & {row.person for row in rows if not is_unseen(row)}
    assert len(unseen) >= 15


@requires_shared
def test_twins_are_written_on_the_clock_of_their_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "TWINS", tmp_path)
    monkeypatch.setattr(twins, "copy_synthesise", lambda waveform, name: 0.5 * waveform)
    (tmp_path / "bona_old__gone@1.npy").write_bytes(b"")
    rows = human_rows(["vocoders", "modern"])[:2]
    twins.write_twins(rows, ["a@1", "b@1~2"], 2)
    assert len(list(tmp_path.iterdir())) == 4  # and the one that nobody wants any more is gone
    for row in rows:
        for path in tmp_path.glob(f"{Path(row.path).stem}__*.npy"):
            twin, clean = np.load(path), clean_speech(row)
            assert twin.dtype == np.int16
            assert twin.shape == clean.shape
            assert np.corrcoef(twin, clean)[0, 1] > 0.98
