"""Cutting: the right pictures and samples, untouched."""

from __future__ import annotations

import av
import numpy as np
import pytest

from avdetect.types import Segment
from eval.cut import cut
from tests import synth


def test_pictures_and_sound_keep_their_place_to_each_other(tmp_path):
    source = synth.encode(
        tmp_path / "in.mkv",
        sound=synth.Sound(samples=synth.click(4.0, at_s=2.4), codec="pcm_s16le"),
        pictures=synth.numbered_pictures(synth.constant_rate(100, 25.0)),
    )
    target = cut(source, Segment(2.0, 3.0), tmp_path / "out.mkv")
    with av.open(str(target)) as container:
        frames = list(container.decode(video=0))
    with av.open(str(target)) as container:
        parts = list(container.decode(audio=0))
    shown = [synth.read_number(frame.to_ndarray(format="rgb24")) for frame in frames]
    assert shown == list(range(50, 75))
    assert frames[0].time == pytest.approx(0.0, abs=1e-3)
    heard = np.concatenate([part.to_ndarray().ravel() for part in parts])
    assert heard.size == 16000
    assert parts[0].time == pytest.approx(0.0, abs=1e-3)
    assert np.abs(heard).argmax() == pytest.approx(0.4 * 16000, abs=16)


def test_samples_are_not_coded_again(tmp_path):
    samples = synth.noise(1.0)
    source = synth.encode(
        tmp_path / "in.wav", sound=synth.Sound(samples=samples, codec="pcm_f32le")
    )
    target = cut(source, Segment(0.25, 0.75), tmp_path / "out.mkv")
    with av.open(str(target)) as container:
        heard = np.concatenate([f.to_ndarray().ravel() for f in container.decode(audio=0)])
    np.testing.assert_array_equal(heard, samples[4000:12000])


def test_nothing_between_these_times_is_an_error(tmp_path):
    source = synth.encode(
        tmp_path / "in.wav", sound=synth.Sound(samples=synth.tone(1.0), codec="pcm_s16le")
    )
    with pytest.raises(ValueError, match="nothing between"):
        cut(source, Segment(5.0, 6.0), tmp_path / "out.mkv")
