from __future__ import annotations

import numpy as np
import pytest
import torch

from avdetect.nn.istft_vocoder import LogMel
from recipes.forge.neural.networks import build_vocoder
from recipes.forge.neural.quantiser import ResidualQuantiser
from recipes.forge.neural.settings import CONFIGS, read_settings
from recipes.forge.neural.source import HarmonicSource
from recipes.forge.neural.vocoder import Vocoder
from tests.synth import speech_like, tone

NAMES = sorted(path.stem for path in CONFIGS.glob("*_*.toml"))


def built(name: str) -> Vocoder:
    torch.manual_seed(0)
    vocoder = build_vocoder(read_settings(CONFIGS / f"{name}.toml").network)
    vocoder(0.1 * torch.randn(4, 10_240), 1)  # in training: deals the codebooks their first entries
    return vocoder.eval()


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_has_the_length_of_its_original(name: str) -> None:
    speech = torch.from_numpy(speech_like(0.5))[None, :7_777]
    with torch.inference_mode():
        copied = built(name)(speech).waveform
    assert copied.shape == speech.shape
    assert copied.dtype == torch.float32
    assert torch.isfinite(copied).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gan_source"])  # fixed noise
def test_what_is_delayed_is_copied_as_much_later(name: str) -> None:
    vocoder, delay = built(name), 5_120  # whole frames and tokens of every network
    noise = np.random.default_rng(0).standard_normal((1, 20_480 + delay))
    late = 0.1 * torch.from_numpy(noise).float()
    with torch.inference_mode():
        first, second = (vocoder(x, 1).waveform for x in (late[:, delay:], late))
    inside = slice(6_000, 14_000)  # away from the ends, which are padded differently
    assert torch.allclose(first[:, inside], second[:, delay:][:, inside], atol=1e-4)


def test_more_codebooks_leave_less_over() -> None:
    torch.manual_seed(0)
    quantiser, vectors = ResidualQuantiser(4, 32, 6), torch.randn(8, 6, 50)
    vectors[:, 0] *= 50.0  # one loud feature must not take all codes
    for _ in range(60):
        quantiser(vectors, 4)
    quantiser.eval()
    even = quantiser.even(vectors)
    errors = [float((quantiser(vectors, n)[0] - even).square().mean()) for n in (1, 2, 3, 4)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.15


def test_gradients_pass_codebooks_straight_through() -> None:
    torch.manual_seed(0)
    quantiser, vectors = ResidualQuantiser(2, 8, 4), torch.randn(2, 4, 10, requires_grad=True)
    quantiser(vectors, 2)
    quantised, _ = quantiser.eval()(vectors, 2)
    quantised.sum().backward()
    rate = (quantiser.even.running_var + quantiser.even.eps).rsqrt()[:, None]
    assert torch.allclose(vectors.grad, rate.expand_as(vectors))


def test_the_source_follows_the_pitch() -> None:
    voice = torch.from_numpy(tone(0.5, hz=200.0))[None, :8_000]
    first = HarmonicSource(160, 4)(voice)[0, 0, 2_000:6_000]
    spectrum = torch.fft.rfft(first * torch.hann_window(4_000)).abs()
    assert float(spectrum.argmax()) * 16_000 / 4_000 == pytest.approx(200.0, abs=8.0)


def test_frames_stand_where_their_decoder_wants_them() -> None:
    pulse = torch.zeros(1, 5_120)
    pulse[:, 2_560] = 1.0
    middle, start = LogMel(1024, 256, 40)(pulse), LogMel(1024, 256, 40, centred=True)(pulse)
    assert middle.shape == (1, 40, 20)
    assert start.shape == (1, 40, 21)
    loud = start.mean(1)[0]
    assert int(loud.argmax()) == 10  # frame 10 stands on sample 2560
    loud = middle.mean(1)[0]
    assert float(loud[9]) == pytest.approx(float(loud[10]), abs=1e-3)  # and here it lies between
