"""One score every 20 ms, in the light of the whole observation."""

from __future__ import annotations

import torch

from avdetect.nn.frame_head import FrameHead


def head() -> FrameHead:
    torch.manual_seed(0)
    return FrameHead(6, 8, 0.0).eval()


def test_five_frames_are_scored_for_every_two_steps() -> None:
    assert head()(torch.randn(3, 6, 40), torch.ones(3, 40)).shape == (3, 100)


def test_frames_within_a_step_can_differ() -> None:
    scores = head()(torch.randn(1, 6, 40), torch.ones(1, 40))
    assert (scores[0, 1:] != scores[0, :-1]).all()


def test_a_step_is_seen_beside_its_observation() -> None:
    """The same steps score otherwise among other steps, however far away those are."""
    net, steps = head(), torch.randn(1, 6, 80)
    elsewhere = steps.clone()
    elsewhere[:, :, 60:] += 3.0
    speech = torch.ones(1, 80)
    assert not torch.allclose(net(steps, speech)[0, :20], net(elsewhere, speech)[0, :20])


def test_silence_elsewhere_is_no_part_of_the_comparison() -> None:
    net, steps = head(), torch.randn(1, 6, 80)
    louder = steps.clone()
    louder[:, :, 60:] += 3.0
    speech = torch.ones(1, 80)
    speech[:, 50:] = 0.0
    assert torch.allclose(net(steps, speech)[0, :100], net(louder, speech)[0, :100], atol=1e-6)


def test_it_learns_where_a_step_stands_out() -> None:
    net, speech = head().train(), torch.ones(8, 40)
    truth = torch.zeros(8, 100)
    steps = torch.randn(8, 6, 40)
    for item in range(8):
        steps[item, 0, 2 * item : 2 * item + 8] += 3.0
        truth[item, 5 * item : 5 * item + 20] = 1.0
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(steps, speech), truth)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    found = net.eval()(steps, speech) > 0
    assert (found == (truth > 0)).float().mean() > 0.9
