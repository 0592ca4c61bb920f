import torch

from avdetect.nn.redrawing_judge import JudgeSettings, RedrawingJudge

SETTINGS = JudgeSettings(n_numbers=3, n_fft=256, hop=64, n_mels=20, width=8, n_blocks=1)


def made(gate: float) -> RedrawingJudge:
    """One that reads the first number: half of it as recorded, its negative if coded."""
    torch.manual_seed(0)
    judge = RedrawingJudge(SETTINGS).eval()
    with torch.no_grad():
        judge.linear.weight.zero_()
        judge.linear.weight[:2, 0] = torch.tensor([0.5, -1.0])
        judge.linear.bias[:] = torch.tensor([0.25, 0.0, gate])
    return judge.requires_grad_(False)


def test_sound_as_recorded_is_judged_by_its_own_model() -> None:
    for narrow in (False, True):
        assert made(-40.0)(torch.full((1, 3), 2.0), torch.tensor([narrow])).tolist() == [1.25]


def test_coded_sound_is_levelled_by_bandwidth() -> None:
    judge = made(40.0)
    judge.scale[1:], judge.offset[1:] = torch.tensor([1.0, 2.0]), torch.tensor([0.5, -1.0])
    wide, narrow = judge(torch.ones(2, 3), torch.tensor([False, True])).tolist()
    assert (wide, narrow) == (-0.5, -3.0)


def test_where_the_line_is_unsure_both_models_count() -> None:
    (found,) = made(0.0)(torch.full((1, 3), 2.0), torch.tensor([False])).tolist()
    assert found == (1.25 - 2.0) / 2


def test_an_outlier_says_no_more_than_four_deviations() -> None:
    numbers = torch.tensor([[4.0, 0.0, 0.0], [400.0, 0.0, 0.0]])
    far, farther = made(-40.0)(numbers, torch.zeros(2)).tolist()
    assert far == farther


def test_the_farther_a_sound_lies_from_the_usual_the_less_is_said() -> None:
    judge = made(-40.0)
    judge.usual[:2] = 1.0
    usual, odd, odder = judge(torch.tensor([1.0, 2.0, 4.0])[:, None].expand(3, 3), torch.zeros(3))
    assert usual == 0.5 * 1.0 + 0.25
    assert odd == (0.5 * 2.0 + 0.25) / 4**2
    assert 0.0 < odder < odd < usual


def test_its_table_builds_the_same_shape_again() -> None:
    judge = made(0.0)
    again = RedrawingJudge(JudgeSettings(**judge.table()))
    again.load_state_dict(judge.state_dict())


def test_it_draws_speech_of_any_length_on_its_clock() -> None:
    waveform = 0.08 * torch.randn(2, 3001)
    assert made(0.0).vocoder.redraw(waveform).shape == waveform.shape
