import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.mouth_detail import N_DETAILS, mouth_detail
from avdetect.nn.offset_curve import offset_heard, offset_similarities
from avdetect.nn.sync_encoder import (
    SpeechMel,
    SyncEncoder,
    level_mel,
    shrink_mouths,
)
from avdetect.nn.sync_head import ConsistencyHead


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return SyncEncoder(mouth_width=8, speech_width=8, embedding=16).eval()


def _window(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.rand(1, 30, 48, 48, generator=generator),
        torch.randn(1, 30, 40, 2, generator=generator),
        torch.randn(1, 38400, generator=generator) * 0.1,
        torch.ones(1, 60),
    )


def test_embeddings_are_unit_vectors(encoder):
    mouths, lips, sound, heard = _window()
    with torch.inference_mode():
        mouth, speech = encoder(mouths, lips, SpeechMel()(sound), heard)
    assert mouth.shape == (1, 30, 16)
    assert speech.shape == (1, 60, 16)
    assert torch.allclose(mouth.norm(dim=2), torch.ones(1, 30), atol=1e-5)
    assert torch.allclose(speech.norm(dim=2), torch.ones(1, 60), atol=1e-5)


def test_what_lies_beyond_the_edge_of_the_sound_is_not_seen(encoder):
    """Else a network reads the offset from where the recording begins."""
    mouths, lips, sound, heard = _window()
    heard[:, :15] = 0
    other = sound.clone()
    other[:, : 15 * 640] = 0.0
    known = offset_heard(heard)
    with torch.inference_mode():
        found = [
            offset_similarities(*encoder(mouths, lips, SpeechMel()(s), heard))
            for s in (sound, other)
        ]
    assert known.any()
    assert (found[0] - found[1])[known].abs().max() < 5e-3


def test_a_mouth_embedding_sees_five_frames(encoder):
    mouths, lips, _, _ = _window()
    changed = lips.clone()
    changed[:, 10] += 0.5
    changed[:, 20] -= 0.5  # the mean over the window stays
    with torch.inference_mode():
        moved = (encoder.mouth(mouths, changed) - encoder.mouth(mouths, lips)).abs().amax(2)[0]
    seen = set(torch.nonzero(moved > 1e-5)[:, 0].tolist())
    assert seen <= {8, 9, 10, 11, 12, 18, 19, 20, 21, 22}
    assert {10, 20} <= seen


def test_loudness_of_the_recording_does_not_matter(encoder):
    _, _, sound, heard = _window()
    mel = SpeechMel()
    quiet, loud = (level_mel(mel(sound * gain), heard) for gain in (0.5, 1.0))
    assert torch.allclose(quiet, loud, atol=0.02)


def test_shrinking_keeps_brightness():
    mouths = torch.full((2, 3, 96, 96), 51, dtype=torch.uint8)
    small = shrink_mouths(mouths)
    assert small.shape == (2, 3, 48, 48)
    assert torch.allclose(small, torch.full_like(small, 0.2))


def test_shapes_are_refused_in_words(encoder):
    mouths, lips, sound, heard = _window()
    with pytest.raises(ShapeError, match="mouths: want"):
        encoder(mouths[:, 1:], lips, SpeechMel()(sound), heard)


def test_a_blurred_mouth_has_less_detail_than_its_surroundings():
    mouths, lips, _, _ = _window()
    blurred = mouths.clone()
    blurred[:, :, 14:36, 8:40] = blurred[:, :, 14:36, 8:40].mean((2, 3), keepdim=True)
    sharp, soft = mouth_detail(mouths, lips), mouth_detail(blurred, lips)
    assert sharp.shape == (1, 30, N_DETAILS)
    assert soft[0, :, 0].max() < sharp[0, :, 0].min()


def test_head_gives_a_score_per_window_and_per_frame(encoder):
    mouths, lips, sound, heard = _window()
    head = ConsistencyHead(embedding=16, width=8).eval()
    with torch.inference_mode():
        mouth, speech = encoder(mouths, lips, SpeechMel()(sound), heard)
        offset = torch.tensor([15])
        score, frames, token = head(mouth, speech, heard, offset, mouth_detail(mouths, lips))
    assert score.shape == (1,)
    assert frames.shape == (1, 30)
    assert token.shape == (1, head.token_width)
    assert torch.isfinite(token).all()
