import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.av_hubert import AvHubert, AvHubertSettings
from avdetect.nn.av_hubert_sync import AvHubertSync, mouth_pictures
from avdetect.nn.filter_banks import LogFilterBanks

TINY = AvHubertSettings(
    width=32,
    n_layers=2,
    n_heads=1,
    inner_width=48,
    position_taps=8,
    position_groups=4,
    mouth_widths=(4, 4, 6, 8, 10),
)


@pytest.fixture(scope="module")
def net() -> AvHubert:
    torch.manual_seed(0)
    return AvHubert(TINY).eval()


def _inputs(frames: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(2, frames, 88, 88, generator=generator),
        torch.randn(2, frames, 104, generator=generator),
    )


def test_mouths_speech_and_both_are_told_apart(net: AvHubert) -> None:
    mouths, sound = _inputs()
    with torch.inference_mode():
        found = [net(mouths=mouths), net(sound=sound), net(mouths=mouths, sound=sound)]
    assert all(features.shape == (2, 6, 32) for features in found)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (found[one] - found[other]).abs().max() > 0.1


def test_sound_that_is_not_there_is_not_heard(net: AvHubert) -> None:
    _, sound = _inputs()
    heard = torch.arange(6).expand(2, 6) < 4
    other = torch.where(heard[:, :, None], sound, 9.0)
    with torch.inference_mode():
        found = [net(sound=s, heard=heard)[:, :4] for s in (sound, other)]
    assert torch.equal(found[0], found[1])


def test_nothing_and_two_lengths_are_refused(net: AvHubert) -> None:
    mouths, sound = _inputs()
    with pytest.raises(ShapeError, match="mouths and sound"):
        net()
    with pytest.raises(ShapeError, match="mouths and sound"):
        net(mouths=mouths, sound=sound[:, :3])


def test_only_the_projections_learn_and_statistics_stay() -> None:
    torch.manual_seed(0)
    streams = AvHubertSync(TINY, embedding=8).train()
    before = {key: value.clone() for key, value in streams.net.state_dict().items()}
    mouth, speech = streams(
        torch.rand(1, 30, 96, 96),
        torch.zeros(1, 30, 40, 2),
        streams.sound_features()(torch.randn(1, 38400)),
        torch.ones(1, 60),
    )
    (mouth.sum() + speech.sum()).backward()
    learns = {name for name, weight in streams.named_parameters() if weight.grad is not None}
    assert learns == {"mouth.weight", "mouth.bias", "speech.weight", "speech.bias"}
    assert all(torch.equal(before[key], value) for key, value in streams.net.state_dict().items())
    assert torch.allclose(mouth.norm(dim=2), torch.ones(1, 30), atol=1e-5)
    assert torch.allclose(speech.norm(dim=2), torch.ones(1, 60), atol=1e-5)


def test_pictures_are_cut_from_the_middle_and_levelled() -> None:
    mouths = torch.full((1, 2, 96, 96), 0.421)
    mouths[:, :, 4, 4] = 0.421 + 0.165
    pictures = mouth_pictures(mouths)
    assert pictures.shape == (1, 2, 88, 88)
    assert pictures[0, 0, 0, 0] == pytest.approx(1.0, abs=1e-5)
    assert pictures[0, 0, 40, 40] == 0.0


def test_filter_banks_hear_pitch_and_not_loudness() -> None:
    time_s = torch.arange(6400) / 16_000
    tone = 0.1 * torch.sin(2 * torch.pi * 1080 * time_s)[None]
    banks = LogFilterBanks()
    found = banks(tone)
    assert found.shape == (1, 10, 104)
    assert found.reshape(1, 40, 26)[0, 20].argmax() == 9  # the tenth peak lies at 1081 Hz
    assert torch.allclose(banks(tone * 0.5), found, atol=1e-2)
    silent = banks(torch.zeros(1, 6400))
    assert torch.equal(silent, torch.zeros_like(silent))


def test_filter_banks_stand_at_their_frame() -> None:
    sound = torch.zeros(1, 6400)
    sound[:, 3 * 640 + 100] = 0.5
    assert torch.nonzero(LogFilterBanks()(sound).abs().amax(2)[0])[:, 0].tolist() == [2, 3]


def test_a_row_that_hears_nothing_spoils_no_other(net: AvHubert) -> None:
    _, sound = _inputs()
    heard = torch.tensor([[True] * 6, [False] * 6])
    with torch.inference_mode():
        both, alone = net(sound=sound, heard=heard), net(sound=sound, heard=heard | True)
    assert both.isfinite().all()
    assert torch.equal(both[0], alone[0])
