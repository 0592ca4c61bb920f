import torch

from avdetect.nn.high_pass import HighPass


def test_flat_picture_gives_nothing():
    view = HighPass()(torch.full((1, 3, 16, 16), 0.7))

    assert view.abs().max() < 1e-4


def test_slope_gives_nothing_in_the_fixed_views():
    slope = torch.linspace(0.2, 0.8, 32).expand(1, 3, 32, 32)

    view = HighPass()(slope)[:, : HighPass.n_fixed, 4:-4, 4:-4]

    assert view.abs().max() < 1e-3


def test_noise_below_one_step_of_half_precision_survives_autocast():
    noise = torch.rand(1, 3, 32, 32) / 512 + 0.9
    net = HighPass()

    with torch.autocast("cpu", torch.bfloat16):
        view = net(noise)

    assert torch.equal(view, net(noise))
    assert view.abs().max() > 0.01


def test_learned_kernels_are_prediction_errors_whatever_they_learn():
    net = HighPass(n_learned=2)
    with torch.no_grad():
        net.kernels.normal_()

    kernels = net._prediction_errors()

    assert torch.allclose(kernels.sum((2, 3)), torch.zeros(2, 3), atol=1e-5)
    assert torch.allclose(kernels[..., 2, 2], -torch.ones(2, 3))
