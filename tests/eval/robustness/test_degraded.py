"""A degraded file differs from the clean one by its level alone, on real encoded media."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from avdetect.channels.levels import Level
from avdetect.errors import InputError, InputNotFoundError, OutputError, UnreadableMediaError
from avdetect.media.clip import AudioChunk, open_clip
from eval.manifest.row import ManifestRow
from eval.robustness import CLEAN, LEVELS, degraded_file
from eval.robustness import picture as picture_module
from eval.robustness import sound as sound_module
from tests import synth
from tests.bad_media import REFUSED, make_corpus

UNEVEN_S = [0.0, 0.04, 0.05, 0.13, 0.2, 0.33, 0.37, 0.5]


@dataclass(frozen=True)
class Seen:
    """What the engine reads: the same clock, pictures and sound that it judges."""

    times_s: list[float]
    ticks: list[range]
    pictures: list[np.ndarray]
    sound: np.ndarray | None
    sound_start_s: float | None


def seen(path: Path) -> Seen:
    with open_clip(path) as clip:
        items = list(clip.chunks())
    chunks = [item for item in items if isinstance(item, AudioChunk)]
    frames = [item for item in items if not isinstance(item, AudioChunk)]
    return Seen(
        [frame.time_s for frame in frames],
        [frame.ticks for frame in frames],
        [frame.picture for frame in frames],
        np.concatenate([chunk.waveform for chunk in chunks], 1) if chunks else None,
        chunks[0].start_s if chunks else None,
    )


def degrade(path: Path, level: Level | str, *, seed: int = 0, sound: Path | None = None) -> Path:
    """One file at one level, written into ``out`` beside its source."""
    row = ManifestRow(
        id=path.stem, path=path.name, label="fake", audio_path=sound.name if sound else ""
    )
    level = LEVELS[level] if isinstance(level, str) else level
    folder = path.parent / "out"
    folder.mkdir(exist_ok=True)
    return degraded_file(row, path.parent, level, folder, seed=seed)


def same_pictures(one: Seen, other: Seen) -> bool:
    return len(one.pictures) == len(other.pictures) and all(
        np.array_equal(a, b) for a, b in zip(one.pictures, other.pictures, strict=True)
    )


def talking(folder: Path, name: str = "talk.mp4", **pictures) -> Path:
    """A video with two channels of sound."""
    sound = np.stack([synth.speech_like(1.0, seed=1), synth.tone(1.0)])
    times_s = synth.constant_rate(25, 25)
    return synth.encode(
        folder / name,
        pictures=synth.numbered_pictures(times_s, **pictures),
        sound=synth.Sound(samples=sound),
    )


UNTOUCHED = Level(name="none", family="none", severity="field", picture=lambda p, rng: p)


@pytest.mark.parametrize("level", [CLEAN, UNTOUCHED], ids=["copied", "written losslessly"])
@pytest.mark.parametrize("rotation_deg", [0, 90, 180])
def test_nothing_is_lost_where_the_level_loses_nothing(tmp_path, level, rotation_deg):
    source = talking(tmp_path, rotation_deg=rotation_deg)

    before, after = seen(source), seen(degrade(source, level))

    assert same_pictures(before, after)
    assert after.times_s == pytest.approx(before.times_s, abs=0.001)
    assert after.ticks == before.ticks
    assert np.array_equal(before.sound, after.sound)
    assert after.sound_start_s == pytest.approx(before.sound_start_s, abs=0.001)


@pytest.mark.parametrize("level", [CLEAN, UNTOUCHED], ids=["copied", "written losslessly"])
def test_uneven_frame_times_survive(tmp_path, level):
    source = synth.encode(
        tmp_path / "vfr.mkv", pictures=synth.numbered_pictures(UNEVEN_S, width=66, height=50)
    )
    with av.open(str(degrade(source, level))) as container:
        times_s = [frame.time for frame in container.decode(video=0)]
    assert times_s == pytest.approx(UNEVEN_S, abs=0.001)


@pytest.mark.parametrize("suffix", ["avi", "ts", "webm"])
def test_other_containers_keep_their_pictures(tmp_path, suffix):
    codec = {"webm": "libvpx", "avi": "mjpeg"}.get(suffix, "libx264")
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    source = synth.encode(
        tmp_path / f"clip.{suffix}",
        pictures=synth.numbered_pictures(synth.constant_rate(20, 25), codec=codec, pix_fmt=pix_fmt),
    )
    before, after = seen(source), seen(degrade(source, CLEAN))
    assert same_pictures(before, after)
    assert after.ticks == before.ticks


def test_a_picture_level_changes_pictures_alone(tmp_path):
    source = talking(tmp_path)
    clean, coarse = seen(degrade(source, CLEAN)), seen(degrade(source, "h264_crf_40"))
    assert coarse.ticks == clean.ticks
    assert np.array_equal(coarse.sound, clean.sound)
    numbers = [synth.read_number(picture) for picture in coarse.pictures]
    assert numbers == [synth.read_number(picture) for picture in clean.pictures]
    assert not same_pictures(clean, coarse)


def test_a_sound_level_changes_sound_alone_each_channel_by_itself(tmp_path):
    source = talking(tmp_path)
    clean, noisy = seen(degrade(source, CLEAN)), seen(degrade(source, "white_20db"))
    assert same_pictures(clean, noisy)
    assert noisy.sound.shape == clean.sound.shape and len(clean.sound) == 2
    left, right = noisy.sound - clean.sound
    for channel, noise in zip(clean.sound, (left, right), strict=True):
        assert 20 * np.log10(channel.std() / noise.std()) == pytest.approx(20, abs=0.2)
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.05


def test_a_silent_picture_is_joined_with_the_sound_of_its_row(tmp_path):
    picture = synth.encode(
        tmp_path / "p.mp4", pictures=synth.numbered_pictures(synth.constant_rate(25, 25))
    )
    sound = synth.encode(
        tmp_path / "s.flac", sound=synth.Sound(samples=synth.click(1.0, 0.5), codec="flac")
    )
    joined = seen(degrade(picture, "jpeg_50", sound=sound))
    assert len(joined.pictures) == 25
    assert np.array_equal(joined.sound, seen(sound).sound)


@pytest.mark.parametrize("name", ["sound_late_200ms", "sound_early_200ms"])
def test_a_delay_moves_the_sound_against_the_picture(tmp_path, name):
    flash_s, click_s = 0.6, 0.5
    times_s = synth.constant_rate(25, 25)
    black, white = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 255, np.uint8)
    flashes = [white if t >= flash_s - 1e-6 else black for t in times_s]
    source = synth.encode(
        tmp_path / "av.mkv",
        pictures=synth.Pictures(pictures=flashes, times_s=times_s),
        sound=synth.Sound(samples=synth.click(1.0, click_s), codec="pcm_s16le"),
    )
    heard = seen(degrade(source, name))

    light_s = next(t for t, p in zip(heard.times_s, heard.pictures, strict=True) if p.mean() > 128)
    sound_s = heard.sound_start_s + np.argmax(np.abs(heard.sound[0]) > 0.1) / 16_000

    late_s = LEVELS[name].sound_delay_s
    assert (late_s > 0) == ("late" in name)
    assert sound_s - light_s == pytest.approx(click_s - flash_s + late_s, abs=0.002)


def test_sound_alone_becomes_wav(tmp_path):
    source = synth.encode(
        tmp_path / "call.flac",
        sound=synth.Sound(samples=synth.speech_like(0.7, 8_000), rate_hz=8_000, codec="flac"),
    )
    clean, coded = degrade(source, CLEAN), degrade(source, "amr_4.75")
    assert clean.suffix == ".wav"
    assert np.array_equal(seen(clean).sound, seen(source).sound)
    assert seen(coded).sound.shape == seen(clean).sound.shape
    assert not np.array_equal(seen(coded).sound, seen(clean).sound)


def test_a_photograph_becomes_png(tmp_path):
    source = synth.photograph(tmp_path / "face.jpg", synth.numbered_picture(9, 64, 48))
    clean, coarse = degrade(source, CLEAN), degrade(source, "jpeg_30")
    assert clean.suffix == ".png"
    assert same_pictures(seen(clean), seen(source))
    assert not same_pictures(seen(coarse), seen(source))


def test_row_level_and_seed_decide_the_file(tmp_path):
    source = talking(tmp_path)
    first = degrade(source, "sensor_noise_12").read_bytes()
    again = degrade(source, "sensor_noise_12")
    assert again.read_bytes() == first
    other = degrade(source, "sensor_noise_12", seed=1)
    assert other != again and other.read_bytes() != first
    assert other.parent == tmp_path / "out"


def test_the_name_does_not_tell_the_label_or_the_level(tmp_path):
    source = talking(tmp_path, "fake_wav2lip.mp4")
    written = degrade(source, "h264_crf_45")
    assert set(written.stem) <= set("0123456789abcdef")
    metadata = written.read_bytes()
    assert b"wav2lip" not in metadata and b"crf_45" not in metadata


def test_long_sound_and_many_pictures_go_through_in_pieces(tmp_path, monkeypatch):
    source = talking(tmp_path)
    monkeypatch.setattr(sound_module, "PIECE_S", 1)
    monkeypatch.setattr(picture_module, "GROUP_PICTURES", 6)
    lengths: list[tuple[str, int]] = []

    def note_sound(waveform, _rng):
        lengths.append(("sound", len(waveform)))
        return waveform

    def note_picture(pictures, _rng):
        lengths.append(("picture", len(pictures)))
        return pictures

    level = Level(
        name="note", family="none", severity="field", sound=note_sound, picture=note_picture
    )
    assert same_pictures(seen(degrade(source, level)), seen(source))
    assert [n for kind, n in lengths if kind == "picture"] == [6, 6, 6, 6, 1]
    assert [n for kind, n in lengths if kind == "sound"][:3] == [16_000, 16_000, 384]


def test_what_cannot_be_decoded_says_so_and_leaves_nothing(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 4_000)
    with pytest.raises(UnreadableMediaError, match=r"broken\.mp4"):
        degrade(broken, CLEAN)
    with pytest.raises(InputNotFoundError, match=r"absent\.mp4"):
        degrade(tmp_path / "absent.mp4", CLEAN)
    silent = synth.encode(
        tmp_path / "p.mp4", pictures=synth.numbered_pictures(synth.constant_rate(5, 25))
    )
    with pytest.raises(UnreadableMediaError, match=r"p\.mp4.*no sound"):
        degrade(silent, CLEAN, sound=silent)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("level", ["clean", "half_frame_rate"])
def test_odd_files_are_written_or_refused_as_the_engine_refuses_them(tmp_path, level):
    corpus, out = tmp_path / "corpus", tmp_path / "out"
    out.mkdir()
    for name, path in make_corpus(corpus).items():
        row = ManifestRow(id=name, path=str(path), label="real")
        try:
            written = degraded_file(row, corpus, LEVELS[level], out, seed=0)
        except InputError:
            assert name in REFUSED or not_decodable(path), name
            continue
        if name in REFUSED:  # a hole of hours in the picture is written with its hole
            assert not_decodable(written), name
        else:
            assert seen(written).times_s or seen(written).sound is not None, name
        written.unlink()
    assert not list(out.iterdir())


def not_decodable(path: Path) -> bool:
    try:
        seen(path)
    except InputError:
        return True
    return False


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path):
    source = talking(tmp_path)
    row = ManifestRow(id="a", path=source.name, label="real")
    with pytest.raises(OutputError, match="nowhere"):
        degraded_file(row, tmp_path, CLEAN, tmp_path / "nowhere", seed=0)
