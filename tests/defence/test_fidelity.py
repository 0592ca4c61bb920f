"""Decibels against numbers worked out by hand."""

import math

import numpy as np
import pytest

from avdetect.defence.fidelity import psnr_db, snr_db


def test_psnr_of_one_step_everywhere_is_that_of_one_over_255():
    picture = np.full((8, 8, 3), 100, np.uint8)
    assert psnr_db(picture, picture + 1) == pytest.approx(20 * math.log10(255))


def test_nothing_changed_is_without_bound():
    picture = np.zeros((4, 4, 3), np.uint8)
    assert psnr_db(picture, picture) == math.inf
    assert snr_db(np.ones(5), np.ones(5)) == math.inf


def test_snr_of_a_tenth_of_the_amplitude_is_20_db():
    signal = np.sin(np.arange(1000.0))
    assert snr_db(signal, 1.1 * signal) == pytest.approx(20.0)


def test_any_change_of_silence_is_infinitely_loud():
    assert snr_db(np.zeros(3), np.ones(3)) == -math.inf
