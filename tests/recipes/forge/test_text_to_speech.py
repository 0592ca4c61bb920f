from __future__ import annotations

import shutil
import sys
from pathlib import Path

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


_FESTIVAL = """#!/bin/sh
printf 'kal_diphone\\nel_diphone\\ncmu_us_slt_arctic_hts\\n'
"""
_TEXT2WAVE = f"""#!{sys.executable}
import math, struct, sys, wave
asked = sys.argv[1:]
hz = 300 if "(voice_cmu_us_slt_arctic_hts)" in asked else 120
assert sys.stdin.read()
with wave.open(asked[asked.index("-o") + 1], "wb") as file:
    file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
    tone = [int(9000 * math.sin(2 * math.pi * hz * k / 16000)) for k in range(16000)]
    file.writeframes(struct.pack("<16000h", *tone))
"""


def test_every_english_voice_of_festival_speaks_by_its_own_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for program, text in (("festival", _FESTIVAL), ("text2wave", _TEXT2WAVE)):
        (tmp_path / program).write_text(text, "utf-8")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    text_to_speech._festival_voices.cache_clear()
    try:
        kinds = {name: forge for name, forge in synthesiser_kinds().items() if "festival" in name}
    finally:
        text_to_speech._festival_voices.cache_clear()
    assert list(kinds) == ["festival cmu_us_slt_arctic_hts", "festival kal_diphone"]
    pitch_hz = []
    for forge in kinds.values():
        said = forge(spoken(), np.random.default_rng(3))
        spectrum = np.abs(np.fft.rfft(said))
        pitch_hz.append(np.fft.rfftfreq(len(said), 1 / 16_000)[spectrum.argmax()])
    assert pitch_hz == pytest.approx([300, 120], abs=3)


def test_without_engines_nothing_speaks_and_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_to_speech.shutil, "which", lambda _program: None)
    assert synthesiser_kinds() == {}
    assert missing_engines().keys() == _PROGRAMS.keys()
    assert all("install" in reason for reason in missing_engines().values())
