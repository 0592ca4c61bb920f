"""A talking head made of the samples, for all tests of the fusion recipe."""

import cv2
import numpy as np
import pytest

from avdetect.faces.align import align_face, align_mouth
from avdetect.faces.detect import FaceFinder
from avdetect.media.clip import open_clip
from recipes.datasets.talking_heads import TalkingHeadClip
from tests.paths import SAMPLES

SECONDS = 5.2


@pytest.fixture(scope="session")
def clip():
    """The sample photograph as a clip, with the sample call's left voice."""
    picture = cv2.cvtColor(cv2.imread(str(SAMPLES / "portrait_real.jpg")), cv2.COLOR_BGR2RGB)
    with FaceFinder() as finder:
        points = finder.measure(picture, finder.propose(picture)[0]).landmarks
    with open_clip(SAMPLES / "call_synthetic.wav") as call:
        sound = np.concatenate([chunk.waveform[0] for chunk in call.chunks()])
    ticks = np.arange(round(SECONDS * 25))
    face_ticks = ticks[::5]
    return TalkingHeadClip(
        file="made.mp4",
        mouths=np.repeat(align_mouth(picture, points)[None], len(ticks), 0),
        frame_index=ticks,
        landmarks=np.repeat(points[None].astype(np.float16), len(ticks), 0),
        faces=np.repeat(align_face(picture, points)[None], len(face_ticks), 0),
        face_index=face_ticks,
        audio=sound[: round(SECONDS * 16000)],
    )
