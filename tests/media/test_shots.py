import cv2
import numpy as np
import pytest

from avdetect.media.clip import PictureFrame, open_clip
from avdetect.media.shots import ShotDetector
from eval.shared_data import shared_root
from tests.shared import requires_shared


def _room(seed, width=160, height=120):
    """A still scene of soft coloured blobs, no two alike."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 6, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _talking(room, n, seed=0, sway_px=2.0):
    """A scene whose middle sways and whose sensor is noisy, as a talking head's."""
    rng = np.random.default_rng(seed)
    height, width = room.shape[:2]
    for i in range(n):
        picture = room.copy()
        shift = np.float32([[1, 0, sway_px * np.sin(i / 4)], [0, 1, sway_px * np.cos(i / 5)]])
        head = cv2.warpAffine(room, shift, (width, height), borderMode=cv2.BORDER_REFLECT)
        picture[30:90, 50:110] = head[30:90, 50:110]
        noise = rng.normal(0, 4, picture.shape)
        yield np.clip(picture + noise, 0, 255).astype(np.uint8)


def _starts(pictures):
    detector = ShotDetector()
    return [i for i, picture in enumerate(pictures) if detector.update(picture)]


def test_first_picture_starts_the_first_shot_and_talking_starts_none():
    assert _starts(_talking(_room(1), 100)) == [0]


def test_cuts_start_shots():
    pictures = [p for seed in range(4) for p in _talking(_room(seed), 20, seed)]
    assert _starts(pictures) == [0, 20, 40, 60]


@pytest.mark.parametrize("step", [2, 5, 12])
def test_cuts_are_found_at_low_frame_rates(step):
    pictures = [p for seed in range(3) for p in list(_talking(_room(seed), 60, seed))[::step]]
    shot = len(range(0, 60, step))
    assert _starts(pictures) == [0, shot, 2 * shot]


def test_jump_to_a_nearer_view_of_the_same_scene_starts_a_shot():
    far = list(_talking(_room(3), 20))
    near = [cv2.resize(p[15:75, 40:120], (160, 120)) for p in _talking(_room(3), 20)]
    assert _starts(far + near) == [0, 20]


def test_change_of_exposure_starts_none():
    pictures = list(_talking(_room(5) // 2, 40))
    brighter = [np.clip(p.astype(int) + 25, 0, 255).astype(np.uint8) for p in pictures[20:]]
    assert _starts(pictures[:20] + brighter) == [0]


def test_held_pictures_do_not_make_the_next_motion_a_cut():
    pictures = list(_talking(_room(6), 10))
    held = [pictures[-1]] * 40
    assert _starts(pictures + held + list(_talking(_room(6), 10, seed=9))) == [0]


def test_size_and_shape_of_the_picture_are_free():
    for width, height in [(1, 1), (33, 17), (1920, 1080)]:
        black = np.zeros((height, width, 3), np.uint8)
        assert _starts([black, black, black]) == [0]


@requires_shared
def test_real_talking_heads_joined_by_cuts():
    films = sorted((shared_root() / "data/video/sync").glob("*.mp4"))[::60]
    pictures, cuts = [], []
    for film in films:
        with open_clip(film) as clip:
            cuts.append(len(pictures))
            pictures += [item.picture for item in clip.chunks() if isinstance(item, PictureFrame)]
    found = set(_starts(pictures))
    assert len(films) >= 10
    assert found <= set(cuts)
    assert len(found & set(cuts)) >= 0.9 * len(cuts)
