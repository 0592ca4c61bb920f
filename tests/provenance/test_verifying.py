"""What became of sealed recordings, on real files by real codecs with known edits."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from avdetect.errors import InputError, InputNotFoundError, SealError, UnreadableMediaError
from avdetect.media.source import RawFormat
from avdetect.provenance.signing import raw_public_key
from avdetect.provenance.verification import FindingKind, Outcome
from avdetect.provenance.verifying import require_signer
from eval.sealing.splice import splice
from tests.provenance.clips import (
    FPS,
    KEY,
    RATE_HZ,
    moving,
    remux,
    sealed,
    speech,
    verified,
    write,
)
from tests.synth import Pictures, Sound, encode, ulaw_bytes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sealed")


@pytest.fixture(scope="module")
def talk(folder) -> Path:
    return write(folder / "talk.mp4", speech(8.0), moving(8.0))


@pytest.fixture(scope="module")
def talk_seal(talk):
    return sealed(talk)


@pytest.fixture(scope="module")
def call(folder) -> Path:
    return write(folder / "call.m4a", speech(10.0))


@pytest.fixture(scope="module")
def call_seal(call):
    return sealed(call)


def only(result):
    (finding,) = result.findings
    return finding


def near(value, expected, tolerance=0.3):
    return value == pytest.approx(expected, abs=tolerance)


def test_a_copy_is_untouched_under_any_name(talk, talk_seal, tmp_path):
    copy = shutil.copyfile(talk, tmp_path / "other name.bin")
    assert verified(copy, talk_seal).outcome is Outcome.UNTOUCHED


def test_a_symbolic_link_to_the_recording_is_untouched(talk, talk_seal, tmp_path):
    link = tmp_path / "link.mp4"
    link.symlink_to(talk)
    assert verified(link, talk_seal).outcome is Outcome.UNTOUCHED


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".mov"])
def test_another_container_around_the_same_packets_is_remuxed(talk, talk_seal, tmp_path, suffix):
    result = verified(remux(talk, tmp_path / f"talk{suffix}"), talk_seal)
    assert result.outcome is Outcome.REMUXED
    assert not result.findings


def test_pcm_in_another_container_is_remuxed(tmp_path):
    path = write(tmp_path / "a.wav", speech(3.0))
    assert verified(remux(path, tmp_path / "a.mkv"), sealed(path)).outcome is Outcome.REMUXED


def test_other_codecs_for_sound_and_picture_are_re_encoded_not_edited(talk_seal, tmp_path):
    other = write(
        tmp_path / "other.mkv",
        speech(8.0),
        moving(8.0),
        codec="libopus",
        video="libx265",
        options={"preset": "ultrafast", "crf": "30", "x265-params": "log-level=none"},
    )
    result = verified(other, talk_seal)
    assert result.outcome is Outcome.RE_ENCODED
    assert not result.findings
    assert near(sum(s.end_s - s.start_s for s in result.re_encoded), 8.0, 1.0)


def test_telephone_sound_of_the_same_words_is_re_encoded(call_seal, tmp_path):
    narrow = speech(10.0)[::2]  # to 8 kHz
    other = encode(
        tmp_path / "phone.wav", sound=Sound(samples=narrow, rate_hz=8000, codec="pcm_mulaw")
    )
    assert verified(other, call_seal).outcome is Outcome.RE_ENCODED


@pytest.mark.parametrize("smart", [True, False])
def test_a_cut_is_found_and_what_follows_is_not_altered(talk, talk_seal, tmp_path, smart):
    if smart:
        edited = splice([(talk, 0.0, 3.0), (talk, 5.0, 1e6)], tmp_path / "cut.mp4")
    else:
        samples, pictures = speech(8.0), moving(8.0)
        edited = write(
            tmp_path / "cut.mp4",
            np.delete(samples, slice(3 * RATE_HZ, 5 * RATE_HZ)),
            pictures[: 3 * FPS] + pictures[5 * FPS :],
        )
    result = verified(edited, talk_seal)
    assert result.outcome is Outcome.EDITED
    finding = only(result)
    assert finding.kind is FindingKind.CUT
    assert finding.lanes == ("sound track 1", "picture")
    assert near(finding.sealed_start_s, 3.0)
    assert near(finding.sealed_end_s, 5.0)


def test_packets_that_were_only_copied_are_not_called_re_encoded(talk, talk_seal, tmp_path):
    edited = splice([(talk, 0.0, 3.0), (talk, 5.0, 1e6)], tmp_path / "cut.mp4")
    result = verified(edited, talk_seal)
    assert sum(s.end_s - s.start_s for s in result.re_encoded) < 0.5
    assert {chain.n_intact for chain in result.intact} == {3}  # seconds before the cut


def test_an_insertion_is_found_where_it_is_in_the_file(call_seal, tmp_path):
    samples = speech(10.0)
    edited = np.concatenate([samples[: 4 * RATE_HZ], speech(2.0, seed=9), samples[4 * RATE_HZ :]])
    finding = only(verified(write(tmp_path / "in.ogg", edited), call_seal))
    assert finding.kind is FindingKind.INSERTED
    assert near(finding.file_start_s, 4.0)
    assert near(finding.file_end_s, 6.0)
    assert near(finding.sealed_start_s, 4.0)


@pytest.mark.parametrize("kind", ["other words", "silence"])
def test_overwritten_sound_is_altered_there_and_only_there(call_seal, tmp_path, kind):
    samples = speech(10.0)
    stretch = slice(3 * RATE_HZ, 5 * RATE_HZ)
    samples[stretch] = speech(2.0, seed=7) if kind == "other words" else 0.0
    finding = only(verified(write(tmp_path / "edited.m4a", samples), call_seal))
    assert finding.kind is FindingKind.ALTERED
    assert near(finding.sealed_start_s, 3.0)
    assert near(finding.sealed_end_s, 5.0)


def test_a_part_of_the_picture_that_was_exchanged_is_found_with_its_place(
    talk, talk_seal, tmp_path
):
    pictures = moving(8.0)
    for picture in pictures[2 * FPS : 4 * FPS]:
        picture[24:60, 48:84] = picture[24:60, 48:84][::-1, ::-1]
    edited = write(tmp_path / "swap.mp4", speech(8.0), pictures)
    findings = verified(edited, talk_seal).findings
    assert {finding.lanes for finding in findings} == {("picture",)}
    assert near(min(f.sealed_start_s for f in findings), 2.0)
    assert near(max(f.sealed_end_s for f in findings), 4.0)
    for region in (f.region for f in findings if f.region is not None):
        assert region.left > 0.2
        assert region.bottom < 0.9


def test_where_nothing_is_heard_the_picture_tells_where_a_cut_is(tmp_path):
    silence, pictures = np.zeros(8 * RATE_HZ, np.float32), moving(8.0)
    seal = sealed(write(tmp_path / "a.mp4", silence, pictures))
    shorter = pictures[: 2 * FPS] + pictures[4 * FPS :]
    edited = write(tmp_path / "b.mp4", silence[: 6 * RATE_HZ], shorter)
    finding = only(verified(edited, seal))
    assert finding.kind is FindingKind.CUT
    assert near(finding.sealed_start_s, 2.0)
    assert near(finding.sealed_end_s, 4.0)


def test_where_nothing_moves_the_sound_tells_where_a_cut_is(tmp_path):
    samples, pictures = speech(8.0), moving(0.1)[:1] * (8 * FPS)
    seal = sealed(write(tmp_path / "a.mp4", samples, pictures))
    shorter = np.delete(samples, slice(3 * RATE_HZ, 5 * RATE_HZ))
    finding = only(verified(write(tmp_path / "b.mp4", shorter, pictures[: 6 * FPS]), seal))
    assert finding.lanes == ("sound track 1", "picture")
    assert near(finding.sealed_start_s, 3.0)
    assert near(finding.sealed_end_s, 5.0)


def test_frames_exchanged_in_a_silent_video_are_altered(tmp_path):
    pictures = moving(6.0)
    seal = sealed(write(tmp_path / "a.mp4", None, pictures))
    pictures[2 * FPS : 3 * FPS] = moving(1.0, seed=5)
    finding = only(verified(write(tmp_path / "b.mp4", None, pictures), seal))
    assert finding.kind is FindingKind.ALTERED
    assert near(finding.sealed_start_s, 2.0)
    assert near(finding.sealed_end_s, 3.0)


def test_a_cut_in_a_variable_frame_rate_video_is_found(tmp_path):
    rng = np.random.default_rng(0)
    pictures = moving(8.0)
    times_s = np.cumsum(rng.choice([0.02, 0.04, 0.06], len(pictures)))
    whole = Pictures(pictures=pictures, times_s=times_s.tolist())
    seal = sealed(encode(tmp_path / "a.mkv", pictures=whole))
    kept = np.flatnonzero((times_s < 3.0) | (times_s >= 4.5))
    cut_s = np.where(times_s < 3.0, times_s, times_s - 1.5)
    cut = Pictures(pictures=[pictures[k] for k in kept], times_s=[float(cut_s[k]) for k in kept])
    finding = only(verified(encode(tmp_path / "b.mkv", pictures=cut), seal))
    assert finding.kind is FindingKind.CUT
    assert near(finding.sealed_start_s, 3.0)
    assert near(finding.sealed_end_s, 4.5)


def test_a_removed_sound_track_is_named(talk, talk_seal, tmp_path):
    silent = remux(talk, tmp_path / "silent.mp4", keep=lambda s: s.type == "video")
    result = verified(silent, talk_seal)
    assert result.outcome is Outcome.EDITED
    assert only(result).kind is FindingKind.TRACK_REMOVED
    assert only(result).text == "The sound track 1 was removed."


def test_an_added_sound_track_is_named(folder, talk, tmp_path):
    silent = remux(talk, tmp_path / "silent.mp4", keep=lambda s: s.type == "video")
    result = verified(talk, sealed(silent))
    assert only(result).kind is FindingKind.TRACK_ADDED


def test_of_two_sound_tracks_the_one_that_is_gone_is_named(tmp_path):
    import av

    one, two = write(tmp_path / "1.m4a", speech(5.0)), write(tmp_path / "2.m4a", speech(5.0, 8))
    both = tmp_path / "both.mkv"
    with av.open(str(one)) as a, av.open(str(two)) as b, av.open(str(both), "w") as out:
        streams = [out.add_stream_from_template(c.streams.audio[0]) for c in (a, b)]
        for container, stream in zip((a, b), streams, strict=True):
            for packet in container.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    result = verified(two, sealed(both))
    assert only(result).text == "The sound track 1 was removed."


def test_sound_moved_against_the_picture_is_told(talk, talk_seal, tmp_path):
    late = remux(talk, tmp_path / "late.mkv", delay_s={"audio": 0.8})
    result = verified(late, talk_seal)
    assert result.outcome is Outcome.EDITED
    shifted = [f for f in result.findings if f.kind is FindingKind.SHIFTED]
    assert shifted[0].text.startswith("The sound comes 0.80 s later")


def test_streams_that_start_at_different_times_are_sealed_as_they_are(tmp_path):
    late = Sound(samples=speech(4.0), rate_hz=RATE_HZ, start_s=1.0)
    pictures = Pictures(pictures=moving(5.0), times_s=[k / FPS for k in range(5 * FPS)])
    path = encode(tmp_path / "late.mp4", sound=late, pictures=pictures)
    assert verified(remux(path, tmp_path / "late.mkv"), sealed(path)).outcome is Outcome.REMUXED


def test_words_changed_in_one_channel_are_found_there(tmp_path):
    both = np.stack([speech(8.0), speech(8.0, seed=3)])
    seal = sealed(encode(tmp_path / "a.wav", sound=Sound(samples=both, codec="pcm_s16le")))
    both[1, 2 * RATE_HZ : 4 * RATE_HZ] = speech(2.0, seed=6)
    result = verified(encode(tmp_path / "b.m4a", sound=Sound(samples=both)), seal)
    lanes = {lane for finding in result.findings for lane in finding.lanes}
    assert "sound track 1, channel right" in lanes
    assert "sound track 1, channel left" not in lanes


def test_a_mixdown_is_compared_by_the_mix_and_says_so(tmp_path):
    both = np.stack([speech(6.0), speech(6.0, seed=3)])
    seal = sealed(encode(tmp_path / "a.wav", sound=Sound(samples=both, codec="pcm_s16le")))
    result = verified(write(tmp_path / "b.m4a", both.mean(axis=0)), seal)
    assert result.outcome is Outcome.RE_ENCODED
    assert "2 channels and now has 1" in result.notes[0]


def test_a_cut_off_copy_misses_its_end(call, call_seal, tmp_path):
    ogg = write(tmp_path / "a.ogg", speech(10.0))
    seal = sealed(ogg)
    data = ogg.read_bytes()
    cut = tmp_path / "cut.ogg"
    cut.write_bytes(data[: len(data) * 6 // 10])
    finding = only(verified(cut, seal))
    assert finding.kind is FindingKind.CUT
    assert near(finding.sealed_end_s, 10.0)
    assert near(finding.sealed_start_s, 6.0, 1.5)


def test_another_recording_is_not_what_was_sealed(call_seal, talk_seal, tmp_path):
    other = write(tmp_path / "other.mp4", speech(8.0, seed=77), moving(8.0, seed=78))
    assert verified(other, talk_seal).outcome is Outcome.UNRELATED
    assert verified(other, call_seal).outcome is Outcome.UNRELATED


def test_headerless_sound_is_sealed_and_verified_as_it_was_read(tmp_path):
    samples = speech(6.0)[::2]
    path = tmp_path / "call.ul"
    path.write_bytes(ulaw_bytes(samples))
    raw = RawFormat("ulaw", 8000)
    seal = sealed(path, raw=raw)
    samples[2 * 8000 : 4 * 8000] = speech(2.0, seed=5)[::2]
    path.write_bytes(ulaw_bytes(samples))
    finding = only(verified(path, seal))
    assert near(finding.sealed_start_s, 2.0)
    assert near(finding.sealed_end_s, 4.0)


def test_headerless_sound_that_got_a_header_is_the_same_content(tmp_path):
    samples = speech(4.0)[::2]
    path = tmp_path / "call.ul"
    path.write_bytes(ulaw_bytes(samples))
    seal = sealed(path, raw=RawFormat("ulaw", 8000))
    sound = Sound(samples=samples, rate_hz=8000, codec="pcm_mulaw")
    wav = encode(tmp_path / "call.wav", sound=sound)
    assert verified(wav, seal).outcome is Outcome.REMUXED


def test_headerless_sound_without_its_format_is_refused(tmp_path):
    path = tmp_path / "call.ul"
    path.write_bytes(ulaw_bytes(speech(1.0)[::2]))
    with pytest.raises(UnreadableMediaError, match="--format and --rate"):
        sealed(path)


def test_what_cannot_be_sealed_is_refused_by_name(tmp_path):
    (tmp_path / "empty.wav").touch()
    with pytest.raises(UnreadableMediaError, match=r"empty\.wav: is empty"):
        sealed(tmp_path / "empty.wav")
    with pytest.raises(InputNotFoundError, match="no such file"):
        sealed(tmp_path / "absent.wav")
    with pytest.raises(InputError, match="is a folder"):
        sealed(tmp_path)


def test_a_seal_by_another_key_is_refused(call_seal):
    require_signer(call_seal, raw_public_key(KEY.public_key()), "call.seal")
    with pytest.raises(SealError, match="not by the one you trust"):
        require_signer(call_seal, b"x" * 32, "call.seal")
