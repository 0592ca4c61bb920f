import torch

from avdetect.nn.redrawing_judge import JudgeSettings, RedrawingJudge

SETTINGS = JudgeSettings(n_numbers=3, n_fft=256, hop=64, n_mels=20, width=8, n_blocks=1)


def made() -> RedrawingJudge:
    torch.manual_seed(0)
    judge = RedrawingJudge(SETTINGS).eval()
    with torch.no_grad():
        judge.linear.weight[:] = torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
        judge.linear.bias[:] = 0.25
    return judge


def test_narrow_sound_has_a_model_a_scale_and_an_offset_of_its_own() -> None:
    judge = made()
    judge.scale[1], judge.offset[1] = 2.0, -1.0
    wide, narrow = judge(torch.ones(2, 3), torch.tensor([False, True])).tolist()
    assert (wide, narrow) == (1.25, 2 * -0.75 - 1)


def test_an_outlier_says_no_more_than_four_deviations() -> None:
    numbers = torch.tensor([[4.0, 0.0, 0.0], [400.0, 0.0, 0.0]])
    far, farther = made()(numbers, torch.zeros(2)).tolist()
    assert far == farther


def test_its_table_builds_the_same_shape_again() -> None:
    judge = made()
    again = RedrawingJudge(JudgeSettings(**judge.table()))
    again.load_state_dict(judge.state_dict())


def test_it_draws_speech_of_any_length_on_its_clock() -> None:
    waveform = 0.08 * torch.randn(2, 3001)
    assert made().vocoder.redraw(waveform).shape == waveform.shape
