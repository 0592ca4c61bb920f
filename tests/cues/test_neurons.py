"""Neurons of a few pictures a face are counted, of our own network alone."""

import numpy as np
import pytest
import torch
from torch import nn

from avdetect.cues.base import ClipFacts, CueTools, Medium
from avdetect.cues.neurons import CUE
from avdetect.nn.image_encoder import FaceForgeryConfig, FaceForgeryNet
from avdetect.nn.neuron_counts import NeuronCounter
from tests.cues.meshes import face_window, observations, read, still_meshes


@pytest.fixture(scope="module")
def tools():
    torch.manual_seed(0)
    config = FaceForgeryConfig(widths=(4, 6, 8, 8), depths=(0, 1, 1, 1), token_width=8)
    return CueTools(face_network=FaceForgeryNet(config).eval())


@pytest.fixture
def n_counted(monkeypatch):
    """How many pictures were counted so far."""
    counted = []
    count = NeuronCounter.count

    def counting(self, crops):
        counted.append(len(crops))
        return count(self, crops)

    monkeypatch.setattr(NeuronCounter, "count", counting)
    return counted


def crops(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.broadcast_to(rng.integers(0, 256, (224, 224, 3), np.uint8), (n, 224, 224, 3))


def test_a_long_face_is_counted_a_few_times_only(tools, n_counted):
    face = face_window(still_meshes(25 * 90), crops=crops(25 * 90))
    (found,) = read(CUE, observations(face), tools=tools).measurements()
    assert sum(n_counted) == 8
    assert "mean of 8 pictures" in found.text
    assert found.segment.end_s == pytest.approx(64.0, abs=0.05)


def test_the_features_are_shares_of_each_stage(tools):
    face = face_window(still_meshes(30), crops=crops(30))
    (found,) = read(CUE, observations(face), tools=tools).measurements()
    counts = NeuronCounter(tools.face_network, tools.device).count(
        torch.from_numpy(crops(1).copy())
    )
    stages = np.array(counts.stages)
    active = counts.active[0].numpy()
    expected = [active[stages == stage].mean() for stage in (2, 4, 8, 16)]
    assert found.features[:4] == pytest.approx(expected, abs=1e-6)
    assert all(0.0 <= share <= 1.0 for share in found.features)
    assert len(found.features) == len(CUE.features)


def test_a_photograph_is_counted_once(tools, n_counted):
    (seen,) = observations(face_window(still_meshes(1), crops=crops(1)))
    still = type(seen)(segment=seen.segment, fresh=seen.fresh, faces=seen.faces, is_still=True)
    (found,) = read(CUE, [still], clip=ClipFacts(is_still=True), tools=tools).measurements()
    assert found.medium is Medium.STILL and found.segment is None
    assert sum(n_counted) == 1


def test_without_a_network_the_cue_abstains():
    (found,) = read(CUE, observations(face_window(still_meshes(30)))).measurements()
    assert found.missing is not None and "no face network" in found.missing


def test_another_network_is_not_counted():
    tools = CueTools(face_network=nn.Identity())
    (found,) = read(CUE, observations(face_window(still_meshes(30))), tools=tools).measurements()
    assert found.missing is not None and "pretrained vision model" in found.missing


def test_a_small_face_abstains(tools):
    small = face_window(still_meshes(30), size_px=30.0)
    (found,) = read(CUE, observations(small), tools=tools).measurements()
    assert found.missing is not None and "px needed" in found.missing


def test_the_figure_tells_layer_by_layer(tools):
    face = face_window(still_meshes(30), crops=crops(30))
    (curve,) = read(CUE, observations(face), tools=tools).figures()
    assert curve.x.tolist() == list(range(1, len(curve.y) + 1))
