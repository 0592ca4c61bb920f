from __future__ import annotations

import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.temporal_head import Stretch, TemporalConfig, TemporalHead

PLACES = 25


@pytest.fixture
def head() -> TemporalHead:
    torch.manual_seed(0)
    head = TemporalHead(6, 4, TemporalConfig(width=16, heads=2)).eval()
    torch.nn.init.normal_(head.score.weight, std=0.5)
    return head


def a_stretch(n: int = 3, seed: int = 0) -> Stretch:
    rng = torch.Generator().manual_seed(seed)
    return Stretch(
        tokens=torch.randn(n, PLACES, 6, generator=rng),
        scores=torch.randn(n, PLACES, generator=rng),
        motion=torch.randn(n, PLACES, 4, generator=rng),
        times_s=torch.arange(PLACES).repeat(n, 1) / 25.0,
        present=torch.ones(n, PLACES, dtype=torch.bool),
    )


def without(stretch: Stretch, places: list[int]) -> Stretch:
    present = stretch.present.clone()
    present[:, places] = False
    return stretch._replace(present=present)


def test_the_sizes_are_small() -> None:
    n = sum(p.numel() for p in TemporalHead(64, 28, TemporalConfig()).parameters())

    assert 50_000 < n < 150_000


def test_a_new_head_adds_nothing() -> None:
    assert torch.equal(TemporalHead(6, 4, TemporalConfig())(a_stretch()), torch.zeros(3))


def test_what_is_missing_is_not_looked_at(head: TemporalHead) -> None:
    stretch = without(a_stretch(), [0, 3, 4, 24])
    changed = [part.clone() for part in stretch]
    for part in changed[:4]:
        part[:, [0, 3, 4, 24]] = 99.0

    assert torch.equal(head(stretch), head(Stretch(*changed)))
    assert not torch.equal(head(stretch), head(a_stretch()))


def test_a_stretch_without_frames_adds_nothing_beside_others(head: TemporalHead) -> None:
    stretch = a_stretch()
    stretch.present[1] = False

    said = head(stretch)

    assert said[1] == 0.0
    assert torch.isfinite(said).all()
    assert torch.allclose(said[[0, 2]], head(a_stretch())[[0, 2]], atol=1e-6)


def test_the_order_of_frames_matters(head: TemporalHead) -> None:
    stretch = a_stretch()
    turned = stretch._replace(
        tokens=stretch.tokens.flip(1), scores=stretch.scores.flip(1), motion=stretch.motion.flip(1)
    )

    assert not torch.allclose(head(stretch), head(turned), atol=1e-4)


def test_times_count_and_places_do_not(head: TemporalHead) -> None:
    """Ten pictures at their times are the same wherever they lie on the frame clock."""
    spread = without(a_stretch(), [k for k in range(PLACES) if k % 3])
    order = [k for k in range(PLACES) if k % 3 == 0] + [k for k in range(PLACES) if k % 3]
    packed = Stretch(*(part[:, order] for part in spread))
    slower = spread._replace(times_s=spread.times_s * 3.0)

    assert torch.allclose(head(spread), head(packed), atol=1e-5)
    assert not torch.allclose(head(spread), head(slower), atol=1e-4)


def test_only_the_time_since_the_first_frame_counts(head: TemporalHead) -> None:
    stretch = a_stretch()
    later = stretch._replace(times_s=stretch.times_s + 1.0)

    assert torch.allclose(head(stretch), head(later), atol=1e-4)


def test_standardising_makes_units_irrelevant() -> None:
    stretch = a_stretch(8)
    scaled = stretch._replace(tokens=stretch.tokens * 50.0 + 7.0)
    said = []
    for each in (stretch, scaled):
        torch.manual_seed(0)
        head = TemporalHead(6, 4, TemporalConfig(width=16, heads=2)).eval()
        torch.nn.init.normal_(head.score.weight, std=0.5)
        head.standardise(each)
        said.append(head(each))

    assert torch.allclose(*said, atol=1e-4)


def test_flicker_can_be_learnt() -> None:
    """Tokens of the same mean: one kind jumps from frame to frame, the other stands."""
    torch.manual_seed(0)
    head = TemporalHead(6, 4, TemporalConfig(width=16, heads=2, dropout=0.0))
    optimiser = torch.optim.AdamW(head.parameters(), lr=5e-3)
    for step in range(60):
        stretch = a_stretch(8, seed=step)
        flickers = torch.arange(8) % 2 == 0
        still = stretch.tokens[:, :1].expand_as(stretch.tokens)
        tokens = torch.where(flickers[:, None, None], stretch.tokens, still)
        said = head(stretch._replace(tokens=tokens))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(said, flickers.float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    assert (said[flickers] > 0.0).all()
    assert (said[~flickers] < 0.0).all()


def test_parts_that_do_not_fit_are_refused(head: TemporalHead) -> None:
    stretch = a_stretch()
    with pytest.raises(ShapeError, match="motion: want"):
        head(stretch._replace(motion=stretch.motion[..., :3]))
    with pytest.raises(ShapeError, match="times_s: want"):
        head(stretch._replace(times_s=stretch.times_s[:, :5]))
