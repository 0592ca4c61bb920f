"""Evidence videos of real encoded clips: the right picture, box and sound at every moment."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avdetect.detector import Detector
from avdetect.errors import InputError, OutputError, UsageError
from avdetect.exhibits import Exhibits
from avdetect.media.clip import open_clip
from avdetect.report import evidence_video
from avdetect.report.evidence_video import check_target, write_evidence_video
from avdetect.scan import Examination
from avdetect.types import Decision
from avdetect.verdict import Input, Verdict
from tests.paths import SAMPLES
from tests.synth import (
    Pictures,
    Sound,
    click,
    constant_rate,
    encode,
    noise,
    numbered_pictures,
    photograph,
    read_number,
    tone,
)


def examined(path, duration_s, sightings=()):
    with open_clip(path) as clip:
        verdict = Verdict(
            input=Input(path=str(path), sha256=clip.sha256, duration_s=duration_s),
            decision=Decision.INCONCLUSIVE,
            reason="nothing was found",
            prior_fake=0.5,
        )
    return Examination(verdict=verdict, exhibits=Exhibits(), bites=(), sightings=sightings)


def rendered(path, duration_s, **options):
    target = path.parent / "evidence.mp4"
    write_evidence_video(path, examined(path, duration_s), target, **options)
    assert sorted(p.name for p in path.parent.iterdir()) == sorted({path.name, target.name})
    return target


def frames_of(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def sound_of(path):
    with open_clip(path) as clip:
        chunks = list(clip.chunks(want_video=False))
    assert chunks[0].start_s == pytest.approx(0.0, abs=0.03)
    return np.concatenate([chunk.native for chunk in chunks], 1), chunks[0].native_rate_hz


def test_a_variable_frame_rate_is_shown_at_its_true_times(tmp_path):
    times_s = [0.0, 0.04, 0.5, 0.54, 0.58, 1.4, 1.96]
    clip = encode(tmp_path / "vfr.mkv", pictures=numbered_pictures(times_s))
    frames = frames_of(rendered(clip, 2.0))
    assert len(frames) == 50
    for tick in (0, 1, 6, 12, 13, 14, 20, 34, 35, 48, 49):
        shown = max(i for i, time_s in enumerate(times_s) if time_s <= tick / 25 + 1e-6)
        assert read_number(frames[tick][:480]) == shown, tick


def test_a_huge_frame_rate_and_odd_sides_are_taken(tmp_path):
    pictures = numbered_pictures(
        constant_rate(240, 240.0), width=161, height=121, pix_fmt="yuv444p"
    )
    frames = frames_of(rendered(encode(tmp_path / "fast.mkv", pictures=pictures), 1.0))
    assert len(frames) == 25
    assert abs(read_number(frames[20][:481]) - 192) <= 5  # half a tick of the 25 Hz clock


def test_the_clips_own_sound_comes_at_its_time(tmp_path):
    beats = np.stack([click(3.0, 1.5, 48000, 0.005), click(3.0, 0.7, 48000, 0.005)])
    clip = encode(
        tmp_path / "call.mkv",
        pictures=numbered_pictures(constant_rate(75, 25.0)),
        sound=Sound(samples=beats, rate_hz=48000, codec="flac", layout="stereo"),
    )
    heard, rate_hz = sound_of(rendered(clip, 3.0))
    assert rate_hz == 48000
    for channel, at_s in zip(heard, (1.5, 0.7), strict=True):
        assert np.abs(channel).argmax() / rate_hz == pytest.approx(at_s, abs=0.03)


def test_sound_that_begins_late_stays_late(tmp_path):
    clip = encode(
        tmp_path / "late.mkv",
        pictures=numbered_pictures(constant_rate(75, 25.0)),
        sound=Sound(samples=tone(1.5), codec="flac", start_s=1.0),
    )
    heard, rate_hz = sound_of(rendered(clip, 3.0))
    loud = np.flatnonzero(np.abs(heard[0]) > 0.1) / rate_hz
    assert loud[0] == pytest.approx(1.0, abs=0.05)
    assert loud[-1] == pytest.approx(2.5, abs=0.05)


@pytest.mark.parametrize(("channels", "rate_hz"), [(6, 48000), (1, 8000), (1, 37800)])
def test_sound_of_any_channels_and_rate_is_kept(tmp_path, channels, rate_hz):
    samples = np.tile(tone(2.0, rate_hz, 200.0), (channels, 1))
    clip = encode(
        tmp_path / "odd.mkv",
        pictures=numbered_pictures(constant_rate(50, 25.0)),
        sound=Sound(samples=samples, rate_hz=rate_hz, codec="flac"),
    )
    heard, out_hz = sound_of(rendered(clip, 2.0))
    middle = heard[0][out_hz // 2 : 3 * out_hz // 2]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * out_hz / len(middle) == pytest.approx(200.0, abs=3.0)


def test_a_silent_clip_gives_a_silent_video(tmp_path):
    clip = encode(tmp_path / "mute.mp4", pictures=numbered_pictures(constant_rate(25, 25.0)))
    with av.open(str(rendered(clip, 1.0))) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_sound_that_outlasts_the_picture_is_heard_under_black(tmp_path):
    clip = encode(
        tmp_path / "long.mkv",
        pictures=numbered_pictures(constant_rate(25, 25.0)),
        sound=Sound(samples=noise(2.0), codec="flac"),
    )
    frames = frames_of(rendered(clip, 2.0))
    assert len(frames) == 50
    assert frames[10][:400].max() > 200
    assert frames[40][:400].max() < 30


def test_a_relative_path_with_a_colon_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("case 7: 100%").mkdir()
    clip = encode(Path("a.mp4"), pictures=numbered_pictures(constant_rate(5, 25.0)))
    target = Path("case 7: 100%", "-seen.mp4")
    write_evidence_video("a.mp4", examined(clip, 0.2), target)
    assert len(frames_of(target.resolve())) == 5


def test_bytes_are_rendered_like_their_file(tmp_path):
    clip = encode(tmp_path / "a.mp4", pictures=numbered_pictures(constant_rate(5, 25.0)))
    write_evidence_video(clip.read_bytes(), examined(clip, 0.2), tmp_path / "out.mp4")
    assert len(frames_of(tmp_path / "out.mp4")) == 5


def test_progress_is_told_in_seconds(tmp_path):
    clip = encode(tmp_path / "a.mp4", pictures=numbered_pictures(constant_rate(25, 25.0)))
    told = []
    rendered(clip, 1.0, progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {1.0}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] >= 0.9


def test_what_has_no_moving_picture_is_refused(tmp_path):
    wav = encode(tmp_path / "a.wav", sound=Sound(samples=tone(1.0), codec="pcm_s16le"))
    png = photograph(tmp_path / "a.png")
    for path, words in ((wav, "has no picture"), (png, "is a photograph")):
        with pytest.raises(UsageError, match=f"{path.name}: {words}"):
            write_evidence_video(path, examined(path, 1.0), tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def test_places_where_nothing_can_be_written_are_refused(tmp_path, monkeypatch):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"a clip")
    (tmp_path / "link.mp4").symlink_to(clip)
    (tmp_path / "folder.mp4").mkdir()
    for target, error, words in (
        (clip, UsageError, "is the clip itself"),
        (tmp_path / "link.mp4", UsageError, "is the clip itself"),
        (tmp_path / "out.avi", UsageError, "end its name in .mp4"),
        (tmp_path / "gone" / "out.mp4", OutputError, "there is no folder"),
        (tmp_path / "folder.mp4", OutputError, "is a folder"),
    ):
        with pytest.raises(error, match=words) as caught:
            check_target(target, clip)
        assert str(target) in str(caught.value)
    monkeypatch.setattr(evidence_video.os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="nothing can be written into"):
        check_target(tmp_path / "out.mp4", clip)


def test_an_examination_without_sightings_is_refused(tmp_path):
    clip = encode(tmp_path / "a.mp4", pictures=numbered_pictures(constant_rate(5, 25.0)))
    with pytest.raises(UsageError, match="sightings=True"):
        write_evidence_video(clip, examined(clip, 0.2, sightings=None), tmp_path / "out.mp4")


def test_a_clip_that_changed_since_is_refused(tmp_path):
    clip = encode(tmp_path / "a.mp4", pictures=numbered_pictures(constant_rate(5, 25.0)))
    examination = examined(clip, 0.2)
    encode(clip, pictures=numbered_pictures(constant_rate(6, 25.0)))
    with pytest.raises(InputError, match="has changed"):
        write_evidence_video(clip, examination, tmp_path / "out.mp4")


@pytest.mark.parametrize("kind", ["interrupt", "cut off", "disk full"])
def test_a_video_that_is_not_whole_leaves_what_was_there(tmp_path, monkeypatch, kind):
    clip = encode(tmp_path / "a.mp4", pictures=numbered_pictures(constant_rate(50, 25.0)))
    target = tmp_path / "out.mp4"
    target.write_bytes(b"an older video")

    def stop(done_s, total_s):
        if kind == "interrupt" and done_s > 0.5:
            raise KeyboardInterrupt
        if kind == "disk full" and done_s > 0.5:
            raise OSError(28, "No space left on device")

    if kind == "cut off":
        monkeypatch.setattr(
            evidence_video.VideoClip,
            "write_videofile",
            lambda self, name, **options: Path(name).write_bytes(b"half a video"),
        )
    with pytest.raises(KeyboardInterrupt if kind == "interrupt" else OutputError) as caught:
        write_evidence_video(clip, examined(clip, 2.0), target, progress=stop)
    assert kind == "interrupt" or ("out.mp4" in str(caught.value) and "\n" not in str(caught.value))
    assert target.read_bytes() == b"an older video"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "out.mp4"]


@pytest.mark.slow
def test_two_faces_a_cut_and_silence_end_to_end(tmp_path):
    portrait = cv2.cvtColor(cv2.imread(str(SAMPLES / "portrait_real.jpg")), cv2.COLOR_BGR2RGB)
    tile = cv2.resize(portrait[:320, 60:380], (320, 320))
    together = np.concatenate([tile, tile[:, ::-1]], axis=1)
    alone = np.zeros_like(together)
    alone[:, 160:480] = tile
    pictures = [together] * 40 + [alone] * 40
    clip = encode(
        tmp_path / "talk.mp4",
        pictures=Pictures(pictures=pictures, times_s=constant_rate(80, 25.0)),
        sound=Sound(samples=np.zeros(16000 * 3, np.float32)),
    )
    examination = Detector.load(device="cpu").examine(clip, explain=False, sightings=True)
    assert len({face.track for face in examination.exhibits.masked_faces}) >= 2
    target = tmp_path / "seen.mp4"
    write_evidence_video(clip, examination, target)

    frames = frames_of(target)
    assert len(frames) == round(examination.verdict.input.duration_s * 25)
    boxed = [
        np.abs(frames[t][:320].astype(int) - pictures[t].astype(int)).max(2) > 60 for t in (20, 60)
    ]
    assert boxed[0][:, :320].any() and boxed[0][:, 320:].any()
    assert boxed[1][:, 160:480].any()
