"""The fingerprint tracer's shapes, and what it does not see."""

from __future__ import annotations

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.fingerprint_network import (
    FingerprintConfig,
    FingerprintTracer,
    log_spectrum,
    read_fingerprint_config,
    without_content,
)

CONFIG = FingerprintConfig(width=4, depth=1, embedding=8, n_sources=3)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return FingerprintTracer(CONFIG).eval()


def test_fingerprint_has_the_blocks_size_and_embedding_unit_length(net):
    fingerprint, embedding = net(torch.rand(2, 3, 64, 64))
    assert fingerprint.shape == (2, 3, 64, 64)
    assert embedding.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)
    assert net.cosines(embedding).shape == (2, 3)
    assert net.cosines(embedding).abs().max() <= 1.0 + 1e-5


def test_same_block_gives_the_same_answer_alone_and_among_others(net):
    blocks = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(net(blocks)[1][:1], net(blocks[:1])[1], atol=1e-5)


def test_brightness_is_not_seen(net):
    blocks = 0.2 + 0.3 * torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.allclose(net(blocks)[1], net(blocks + 0.3)[1], atol=1e-4)


def test_content_edges_are_cut():
    edge = torch.zeros(1, 3, 64, 64)
    edge[..., 32:] = 1.0
    assert without_content(edge).abs().max() == 1.0


def test_spectrum_of_a_periodic_pattern_peaks_at_its_frequency():
    wave = torch.cos(torch.arange(64) * 2 * torch.pi * 16 / 64).expand(1, 1, 64, 64)
    spectrum = log_spectrum(wave)[0, 0]
    assert divmod(int(spectrum.argmax()), spectrum.shape[1]) == (0, 16)


def test_block_of_another_size_is_refused(net):
    with pytest.raises(ShapeError, match="64"):
        net(torch.rand(1, 3, 65, 64))


def test_unknown_setting_is_refused():
    with pytest.raises(TypeError):
        read_fingerprint_config({"widht": 4})
