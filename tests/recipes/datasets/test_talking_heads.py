import av
import numpy as np

from recipes.datasets.talking_heads import frames_on_clock, read_audio


def _video(path, rate, n_frames):
    """Frame k is grey 12 k."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate, options={"qscale": "1"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for k in range(n_frames):
            picture = np.full((64, 64, 3), 12 * k, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _greys(path):
    return [(tick, round(float(picture.mean()) / 12)) for tick, picture in frames_on_clock(path)]


def test_25_fps_gives_every_frame_once(tmp_path):
    _video(tmp_path / "a.mp4", 25, 20)
    assert _greys(tmp_path / "a.mp4") == [(k, k) for k in range(20)]


def test_50_fps_gives_every_second_frame(tmp_path):
    _video(tmp_path / "a.mp4", 50, 20)
    assert _greys(tmp_path / "a.mp4") == [(k, 2 * k) for k in range(10)]


def test_slow_video_repeats_the_frame_on_show(tmp_path):
    _video(tmp_path / "a.mp4", 10, 6)
    shown = _greys(tmp_path / "a.mp4")
    assert len(shown) == 15
    assert all(grey == tick * 10 // 25 for tick, grey in shown)


def test_sound_keeps_its_place_through_aac_priming(tmp_path):
    path = tmp_path / "a.mp4"
    sound = np.zeros(16_000, np.float32)
    sound[8_000:8_160] = 0.8 * np.sin(np.arange(160))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for start in range(0, 16_000, 1024):
            frame = av.AudioFrame.from_ndarray(
                sound[None, start : start + 1024], format="fltp", layout="mono"
            )
            frame.rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    heard = read_audio(path)
    loud = np.flatnonzero(np.abs(heard) > 0.2)
    assert abs(int(loud[0]) - 8_000) < 160  # a quarter of a frame


def test_a_file_without_sound_is_silent(tmp_path):
    _video(tmp_path / "a.mp4", 25, 5)
    assert len(read_audio(tmp_path / "a.mp4")) == 0
