from fractions import Fraction

import av
import numpy as np

from recipes.datasets.faces import read_frames


def clip_of_rising_brightness(path, rate, n_frames):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "10"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for n in range(n_frames):
            grey = np.full((64, 64, 3), 20 + 200 * n // n_frames, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))


def test_frames_follow_the_25_hz_clock(tmp_path):
    path = tmp_path / "fifty.mp4"
    clip_of_rising_brightness(path, Fraction(50), 50)

    frames = read_frames(path)

    brightness = [float(frame.mean()) for frame in frames]
    assert len(frames) == 25
    assert np.allclose(brightness, 20 + 200 * np.arange(0, 50, 2) / 50, atol=6)
