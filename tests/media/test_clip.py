import numpy as np
import pytest
from PIL import Image, ImageOps

from avdetect.errors import InputLimitError, UnreadableMediaError
from avdetect.media.clip import AudioChunk, PictureFrame, open_clip
from tests import synth
from tests.bad_media import make_cover_mp3
from tests.media.reading import read_whole

CONTAINERS = [
    ("film.mp4", "libx264", "aac"),
    ("film.mov", "libx264", "aac"),
    ("film.mkv", "libx264", "aac"),
    ("film.ts", "libx264", "aac"),
    ("film.webm", "libvpx-vp9", "libopus"),
]
UNEVEN_S = [0.0, 0.033, 0.1, 0.5, 0.54, 0.58, 1.0, 1.5, 2.0]


def _click(at_s, start_s=0.0):
    samples = synth.click(2.5, at_s, 48000, 0.01)
    return synth.Sound(samples=samples, rate_hz=48000, start_s=start_s)


@pytest.mark.parametrize(("file", "video", "audio"), CONTAINERS)
def test_variable_frame_rate_and_late_sound_keep_their_times(tmp_path, file, video, audio):
    sound = synth.Sound(
        samples=synth.click(2.5, 1.0, 48000, 0.01), rate_hz=48000, codec=audio, start_s=0.5
    )
    film = synth.numbered_pictures(UNEVEN_S, codec=video)
    whole = read_whole(synth.encode(tmp_path / file, sound=sound, pictures=film))
    assert whole.times_s == pytest.approx(UNEVEN_S, abs=0.0011)
    assert [synth.read_number(p.picture) for p in whole.pictures] == list(range(9))
    assert whole.onset_s == pytest.approx(1.5, abs=0.002)
    assert whole.chunks[0].start_s == pytest.approx(0.5, abs=0.025)


@pytest.mark.parametrize(("file", "video", "audio"), CONTAINERS[:4])
def test_late_picture_keeps_its_time(tmp_path, file, video, audio):
    film = synth.numbered_pictures(synth.constant_rate(25, 25, start_s=0.72), codec=video)
    whole = read_whole(synth.encode(tmp_path / file, sound=_click(1.0), pictures=film))
    assert whole.onset_s - whole.times_s[0] == pytest.approx(0.28, abs=0.002)
    assert whole.chunks[0].start_s == pytest.approx(0.0, abs=0.001)


def test_reordered_frames_come_in_order_of_presentation(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(60, 25), options={"bf": "3"})
    whole = read_whole(synth.encode(tmp_path / "b.mp4", pictures=film))
    assert [synth.read_number(p.picture) for p in whole.pictures] == list(range(60))
    assert whole.times_s == pytest.approx(synth.constant_rate(60, 25), abs=1e-4)


@pytest.mark.parametrize("fps", [12.5, 24, 25, 30000 / 1001, 50, 60])
def test_ticks_cover_the_25_hz_clock_once(tmp_path, fps):
    film = synth.numbered_pictures(synth.constant_rate(round(2 * fps), fps))
    whole = read_whole(synth.encode(tmp_path / "clock.mp4", pictures=film))
    ticks = [tick for p in whole.pictures for tick in p.ticks]
    assert ticks == list(range(len(ticks)))
    assert len(ticks) == pytest.approx(50, abs=1)  # containers guess how long the last one lasts
    for picture in whole.pictures:
        shown = synth.read_number(picture.picture)
        assert picture.time_s == pytest.approx(shown / fps, abs=1e-3)
        assert all(
            abs(tick / 25 - picture.time_s) < 0.55 / min(fps, 25) + 1e-3 for tick in picture.ticks
        )


def test_only_shown_frames_of_a_fast_film_are_handed_out(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(120, 100))
    whole = read_whole(synth.encode(tmp_path / "fast.mp4", pictures=film))
    assert [synth.read_number(p.picture) for p in whole.pictures] == list(range(0, 120, 4))


def test_film_at_25_hz_keeps_every_frame_despite_rounded_timestamps(tmp_path):
    jittered = [t + (0.003, -0.002)[i % 2] for i, t in enumerate(synth.constant_rate(50, 25, 0.01))]
    whole = read_whole(synth.encode(tmp_path / "j.mkv", pictures=synth.numbered_pictures(jittered)))
    assert len(whole.pictures) == 50


_QUARTERS = np.zeros((48, 64, 3), np.uint8)
_QUARTERS[:24, :32], _QUARTERS[:24, 32:], _QUARTERS[24:, :32] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
)


def _corners(picture):
    height, width = picture.shape[:2]
    centres = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [tuple(int(v > 128) for v in picture[y, x]) for y, x in centres]


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_film_recorded_on_its_side_is_turned_upright(tmp_path, angle):
    film = synth.Pictures(
        pictures=[_QUARTERS] * 5, times_s=synth.constant_rate(5, 25), rotation_deg=angle
    )
    whole = read_whole(synth.encode(tmp_path / "turned.mp4", pictures=film))
    want = np.rot90(_QUARTERS, angle // 90)
    assert all(p.picture.shape == want.shape for p in whole.pictures)
    assert _corners(whole.pictures[0].picture) == _corners(want)
    (stream,) = whole.clip.streams
    assert (stream.height, stream.width) == want.shape[:2]


@pytest.mark.parametrize("file", ["p.jpg", "p.png", "p.webp", "p.tiff"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_photograph_is_turned_as_its_exif_says(tmp_path, file, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(_QUARTERS).save(tmp_path / file, exif=exif)
    want = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / file)).convert("RGB"))
    (picture,) = read_whole(tmp_path / file).pictures
    assert picture.picture.shape == want.shape
    assert _corners(picture.picture) == _corners(want)


@pytest.mark.parametrize("file", ["p.jpg", "p.png", "p.webp", "p.bmp", "p.tiff", "p.avif"])
def test_photograph_is_a_still(tmp_path, file):
    whole = read_whole(synth.photograph(tmp_path / file))
    assert whole.clip.is_still and whole.clip.has_video and not whole.clip.has_audio
    assert whole.clip.streams[0].kind == "image" and whole.clip.duration_s is None
    (picture,) = whole.pictures
    assert (picture.time_s, picture.ticks) == (0.0, range(1))
    assert synth.read_number(picture.picture) == 5


def test_transparency_of_a_photograph_is_not_taken_for_the_picture(tmp_path):
    picture = Image.fromarray(synth.numbered_picture(9)).convert("RGBA")
    picture.putalpha(128)
    for file in ("alpha.avif", "alpha.png", "alpha.webp"):
        picture.save(tmp_path / file)
        (shown,) = read_whole(tmp_path / file).pictures
        assert synth.read_number(shown.picture) == 9


def test_colours_survive(tmp_path):
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, :32], picture[:, 32:64], picture[:, 64:] = (
        (200, 60, 40),
        (255, 255, 255),
        (16, 16, 16),
    )
    film = synth.Pictures(pictures=[picture] * 3, times_s=synth.constant_rate(3, 25))
    (first, *_) = read_whole(synth.encode(tmp_path / "c.mp4", pictures=film)).pictures
    for x in (16, 48, 80):
        assert np.abs(first.picture[32, x].astype(int) - picture[32, x]).max() < 12


def test_large_pictures_are_scaled_down(tmp_path):
    picture = np.kron(synth.numbered_picture(77, 40, 24), np.ones((100, 100, 1), np.uint8))
    Image.fromarray(picture).save(tmp_path / "large.png")
    (shown,) = read_whole(tmp_path / "large.png").pictures
    assert shown.picture.shape == (1152, 1920, 3)
    assert synth.read_number(shown.picture) == 77


@pytest.mark.parametrize(("width", "height"), [(1, 1), (33, 17), (16000, 4)])
def test_odd_sizes_decode(tmp_path, width, height):
    film = synth.numbered_pictures(
        synth.constant_rate(3, 25), width=width, height=height, codec="ffv1", pix_fmt="bgr0"
    )
    whole = read_whole(synth.encode(tmp_path / "odd.mkv", pictures=film))
    scale = min(1.0, 1920 / max(width, height))
    want = (max(1, round(height * scale)), max(1, round(width * scale)), 3)
    assert [p.picture.shape for p in whole.pictures] == [want] * 3


def test_sound_alone_is_the_same_without_the_pictures(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(50, 25, start_s=0.0))
    path = synth.encode(tmp_path / "film.mp4", sound=_click(1.0, start_s=0.3), pictures=film)
    both, sound = read_whole(path), read_whole(path, want_video=False)
    assert not sound.pictures and len(both.pictures) == 50
    assert np.array_equal(sound.waveform, both.waveform)
    assert sound.chunks[0].start_s == both.chunks[0].start_s


def test_sound_and_picture_come_interleaved(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(250, 25))
    sound = synth.Sound(samples=synth.speech_like(10.0), rate_hz=16000)
    path = synth.encode(tmp_path / "long.mp4", sound=sound, pictures=film)
    heard_s = seen_s = 0.0
    with open_clip(path) as clip:
        for item in clip.chunks():
            if isinstance(item, AudioChunk):
                heard_s = item.start_s
            elif isinstance(item, PictureFrame):
                seen_s = item.time_s
            assert abs(heard_s - seen_s) < 2.0


def test_cover_art_is_no_picture(tmp_path):
    whole = read_whole(make_cover_mp3(tmp_path))
    assert whole.clip.has_audio and not whole.clip.has_video and not whole.clip.is_still
    assert [s.kind for s in whole.clip.streams] == ["audio", "image"]
    assert whole.chunks and not whole.pictures


def test_damage_in_the_middle_is_stepped_over(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(100, 25), options={"g": "10"})
    sound = synth.Sound(samples=synth.speech_like(4.0), rate_hz=16000)
    path = synth.encode(tmp_path / "film.mkv", sound=sound, pictures=film)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    path.write_bytes(data)
    whole = read_whole(path)
    assert whole.clip.n_bad_packets > 0
    assert 60 <= len(whole.pictures) <= 100
    assert whole.times_s[-1] == pytest.approx(3.96, abs=0.01)
    assert whole.waveform.shape[1] == pytest.approx(4 * 16000, abs=2000)


def test_cut_mp4_says_so_in_one_line(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(25, 25))
    path = synth.encode(tmp_path / "cut.mp4", pictures=film)
    path.write_bytes(path.read_bytes()[:-1400])
    with pytest.raises(UnreadableMediaError, match=r"cut\.mp4: is an MP4 without its index") as e:
        open_clip(path)
    assert "\n" not in str(e.value)


def test_damaged_video_decodes_to_the_same_bits_twice(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(60, 25), options={"g": "10"})
    path = synth.encode(tmp_path / "film.mkv", pictures=film)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 60] = b"\x5a" * 60
    path.write_bytes(data)
    first, second = read_whole(path), read_whole(path)
    assert len(first.pictures) == len(second.pictures)
    for a, b in zip(first.pictures, second.pictures, strict=True):
        assert a.time_s == b.time_s and np.array_equal(a.picture, b.picture)


@pytest.mark.parametrize("at_s", [3_000_000.0, 25 * 3600.0])
def test_a_first_picture_beyond_the_longest_clip_is_refused(tmp_path, at_s):
    film = synth.numbered_pictures([at_s], codec="mjpeg", pix_fmt="yuvj420p")
    sound = synth.Sound(samples=synth.tone(1.0), codec="pcm_s16le")
    path = synth.encode(tmp_path / "late.mkv", sound=sound, pictures=film)
    with pytest.raises(InputLimitError, match=r"late.mkv: is longer than 24 hours"):
        read_whole(path)


def test_sound_that_starts_beyond_the_longest_silence_is_refused(tmp_path):
    film = synth.numbered_pictures(synth.constant_rate(5, 25), codec="mjpeg", pix_fmt="yuvj420p")
    sound = synth.Sound(samples=synth.tone(1.0), codec="pcm_s16le", start_s=3700.0)
    path = synth.encode(tmp_path / "late.mkv", sound=sound, pictures=film)
    with pytest.raises(InputLimitError, match=r"late.mkv: its timestamps leave holes of over 1 h"):
        read_whole(path)
