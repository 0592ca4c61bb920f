import numpy as np
import pytest
import torch

from avdetect.branches.visual_forgery import FaceNetworks, VisualForgeryBranch, build_networks
from avdetect.faces.align import align_face
from avdetect.observation import FaceWindow, Observation
from avdetect.types import Segment
from recipes.visual_forgery import track_data
from tests.recipes.forge.drawn_faces import drawn_face

CONFIG = {"widths": [8, 8, 8, 8], "depths": [0, 0, 0, 1], "token_width": 16, "n_learned": 2}


def tiny_networks(contrast: bool) -> FaceNetworks:
    torch.manual_seed(0)
    networks = build_networks({**CONFIG, "contrast": contrast})
    if networks.contrast is not None:
        torch.nn.init.normal_(networks.contrast.weight)
    return networks._replace(frames=networks.frames.eval())


@pytest.mark.parametrize("contrast", [False, True])
def test_a_track_is_read_as_the_branch_reads_its_frames(monkeypatch, contrast):
    networks = tiny_networks(contrast)
    faces = [drawn_face(seed) for seed in range(25)]
    pictures, meshes = (
        np.stack([face.picture for face in faces]),
        [face.landmarks for face in faces],
    )
    monkeypatch.setattr(track_data, "_meshes", lambda _: meshes)

    stretch = track_data._stretch(networks, pictures)

    branch = VisualForgeryBranch(networks.frames, torch.device("cpu"), None, networks.contrast)
    window = FaceWindow(
        track=0,
        shot=0,
        frame_index=np.arange(25),
        frame_s=np.arange(25) / 25,
        faces=np.stack([align_face(p, m) for p, m in zip(pictures, meshes, strict=True)]),
        mouths=np.zeros((25, 96, 96), np.uint8),
        boxes=np.zeros((25, 4), np.float32),
        landmarks=np.stack(meshes),
        size_px=160.0,
        yaw_deg=0.0,
    )
    second = Segment(0.0, 1.0)
    [[said]] = branch.run([Observation(segment=second, fresh=second, faces=(window,))])
    np.testing.assert_allclose(stretch.scores[0, ::5], said.scores, atol=1e-4)
    np.testing.assert_allclose(stretch.tokens[0, ::5], said.tokens, atol=1e-4)
