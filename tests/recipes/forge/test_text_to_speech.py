from __future__ import annotations

import shutil

import numpy as np
import pytest

from recipes.forge import text_to_speech
from recipes.forge.text_to_speech import missing_engines, synthesiser_kinds
from tests.recipes.forge.drawn_speech import spoken

_PROGRAMS = {"espeak-ng": "espeak-ng", "flite": "flite", "festival": "text2wave"}


@pytest.mark.parametrize("engine", _PROGRAMS)
def test_an_engine_speaks_or_is_reported_missing(engine: str) -> None:
    kinds = [name for name in synthesiser_kinds() if name.startswith(engine)]
    if engine in missing_engines():
        assert kinds == []
        assert shutil.which(_PROGRAMS[engine]) is None
        pytest.skip(missing_engines()[engine])
    clip = spoken()
    forge = synthesiser_kinds()[kinds[0]]
    said, again = (forge(clip, np.random.default_rng(3)) for _ in range(2))
    assert said.shape == clip.shape
    assert said.dtype == np.float32
    assert np.array_equal(said, again)
    assert np.sqrt(np.mean(said**2)) == pytest.approx(np.sqrt(np.mean(clip**2)), rel=0.1)
    assert np.abs(said[:1_600]).max() > 0.001  # no pause before the first word
    assert not np.array_equal(said, forge(clip, np.random.default_rng(4)))


def test_without_engines_nothing_speaks_and_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_to_speech.shutil, "which", lambda _program: None)
    assert synthesiser_kinds() == {}
    assert missing_engines().keys() == _PROGRAMS.keys()
    assert all("install" in reason for reason in missing_engines().values())
