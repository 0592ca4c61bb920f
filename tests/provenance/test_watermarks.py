"""Open watermarks: written by the library that generators use, read back, not seen in others."""

from __future__ import annotations

from itertools import product
from math import comb

import cv2
import numpy as np
import pytest

from avdetect.provenance.watermarks import (
    KNOWN,
    MAX_CHANCE,
    NOT_CHECKED,
    find_watermarks,
    overlap_chance,
)


def textured(seed: int, side: int = 512) -> np.ndarray:
    """(H, W, 3) uint8 RGB with detail at every scale, as photographs have."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((side, side, 3))
    for cells in (4, 8, 16, 32, 64, 128, 256):
        grain = rng.standard_normal((cells, cells, 3))
        picture += cv2.resize(grain, (side, side), interpolation=cv2.INTER_CUBIC) / cells**0.5
    return np.clip(128 + 60 * picture / picture.std(), 0, 255).astype(np.uint8)


def marked(picture: np.ndarray, message: str) -> np.ndarray:
    from imwatermark import WatermarkEncoder

    encoder = WatermarkEncoder()
    encoder.set_watermark("bits", [int(bit) for bit in message])
    bgr = np.ascontiguousarray(picture[..., ::-1])
    return encoder.encode(bgr, "dwtDct")[..., ::-1]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_every_known_watermark_is_read_back_and_no_other(known):
    (match,) = find_watermarks([marked(textured(1), known.message)])
    assert match.name == known.name
    assert match.n_matching >= 0.9 * match.n_bits
    assert match.chance <= MAX_CHANCE


def test_a_picture_marked_in_the_other_channel_order_is_read_too():
    swapped = marked(textured(1)[..., ::-1], KNOWN[0].message)[..., ::-1]
    assert [match.name for match in find_watermarks([swapped])] == [KNOWN[0].name]


def test_pictures_without_a_watermark_have_none():
    pictures = [textured(seed, 256) for seed in range(2, 22)]
    flat = [np.full((256, 256, 3), shade, np.uint8) for shade in (0, 128, 255)]
    assert find_watermarks([*pictures, *flat]) == ()


def test_pictures_too_small_to_be_marked_are_left_alone():
    assert find_watermarks([textured(1, 128)]) == ()


def test_one_marked_frame_among_others_is_counted():
    frames = [textured(3, 256), marked(textured(4), KNOWN[0].message), textured(5, 256)]
    (match,) = find_watermarks(frames)
    assert (match.n_pictures, match.n_examined) == (1, 3)


def test_messages_are_those_their_generators_publish():
    by_name = {known.name: known for known in KNOWN}
    assert np.packbits(by_name["StableDiffusionV1"].bits).tobytes() == b"StableDiffusionV1"
    assert np.packbits(by_name["SDV2"].bits).tobytes() == b"SDV2"
    assert len(by_name["SDXL 48-bit"].bits) == 48


@pytest.mark.parametrize(("n", "n_ones", "n_read"), [(8, 4, 4), (9, 3, 5), (7, 0, 3)])
def test_the_chance_of_an_overlap_is_that_of_counting_all_cases(n, n_ones, n_read):
    draws = [draw for draw in product((0, 1), repeat=n) if sum(draw) == n_read]
    assert len(draws) == comb(n, n_read)
    for n_both in range(n_read + 1):
        cases = sum(sum(draw[:n_ones]) >= n_both for draw in draws)
        assert overlap_chance(n, n_ones, n_read, n_both) == pytest.approx(cases / len(draws))


def test_known_watermarks_that_are_not_looked_for_are_named():
    for name in ("SynthID", "AudioSeal", "TrustMark", "Stable Signature"):
        assert any(line.startswith(name) for line in NOT_CHECKED)
