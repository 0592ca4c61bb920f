from collections import Counter

import pytest

from avdetect.checkpoint import read_bundle, read_card
from avdetect.types import Segment
from eval.datasets import DATASETS, demo_voices, still_faces, talking_heads
from eval.errors import ManifestError
from eval.manifest.folds import assign_folds, fold_split
from eval.manifest.leaks import find_leaks
from eval.manifest.row import ManifestRow
from eval.protocol import read_protocol
from eval.shared_data import shared_root
from tests.eval.datasets.miniature import put
from tests.shared import requires_shared

_VOICES = (
    "file,label,generator,family,speaker,language,source_repo,source_path,repo_license,"
    "original_rate_hz,original_codec,duration_s\n"
)
_CLIPS = (
    "file,audio_file,label,video_label,audio_label,fake_kind,generator,has_audio,identity,language,"
    "source_repo,duration_s,src_codec,note\n"
)


def test_voices_of_all_three_tables(tmp_path):
    folder = tmp_path / "data" / "audio"
    put(tmp_path, "data/audio/train/a.wav")
    train = _VOICES + "train/s.flac,spoof,WaveNet,vocoder,LJ,en,one/x,p,MIT,22050,wav/pcm_16,2.5\n"
    extra = _VOICES + "extra/b.opus,bonafide,human,human,wwb-unknown,und,two/y,p,MIT,8000,mp3,4\n"
    modern = _VOICES + "modern/b.flac,bonafide,human,human,vb0,en,three/z,p,MIT,16000,mp3,3\n"
    for name, text in {"train": train, "extra": extra, "modern": modern}.items():
        (folder / f"{name}.csv").write_text(text)
    fake, coded, real = demo_voices.read(tmp_path)
    assert fake == ManifestRow(
        id="train/s.flac",
        path="data/audio/train/s.flac",
        label="fake",
        audio_label="fake",
        fake_segments=(Segment(0.0, 2.5),),
        speaker="LJ",
        source="one/x",
        generator="WaveNet",
        kind="vocoder",
        language="en",
        codec="wav/pcm_16",
        rate_hz=22050,
        duration_s=2.5,
    )
    assert (coded.quality, coded.codec, coded.speaker, coded.language) == (
        "opus_24",
        "opus",
        "",
        "",
    )
    assert (real.label, real.generator, real.kind, real.quality) == ("real", "", "", "")
    (folder / "train.csv").write_text(train.replace("2.5", "long"))
    with pytest.raises(ManifestError, match=r"train\.csv: entry 1: could not convert"):
        demo_voices.read(tmp_path)
    (folder / "train.csv").write_text("file,label\n")
    with pytest.raises(ManifestError, match=r"train\.csv: no column generator, family"):
        demo_voices.read(tmp_path)


def test_talking_heads_keep_sound_and_picture_apart(tmp_path):
    table = tmp_path / "data" / "video" / "clips.csv"
    table.parent.mkdir(parents=True)
    table.write_text(
        _CLIPS
        + "fake/v.mp4,fake/v.opus,fake,real,cloned,voice-only,VDTTS,yes,p1,en,a/b,3,h264,\n"
        + "fake/u.mp4,fake/u.opus,fake,fake,unknown,lip-sync,Wav2Lip,yes,lab_?,,a/b,2,h264,lag\n"
        + "real/s.mp4,,real,real,none,,,no,,tr,c/d,1.5,vp9,\n"
    )
    voice, lips, silent = talking_heads.read(tmp_path)
    assert voice == ManifestRow(
        id="fake/v.mp4",
        path="data/video/fake/v.mp4",
        audio_path="data/video/fake/v.opus",
        label="fake",
        audio_label="fake",
        video_label="real",
        fake_segments=(Segment(0.0, 3.0),),
        identity="p1",
        source="a/b",
        generator="VDTTS",
        kind="voice-only",
        language="en",
        codec="h264",
        duration_s=3.0,
    )
    assert (lips.audio_label, lips.video_label, lips.identity, lips.quality) == (
        "",
        "fake",
        "",
        "lag",
    )
    assert (silent.audio_path, silent.audio_label, silent.fake_segments) == ("", "", ())


def test_faces_of_both_tables_tell_their_form(tmp_path):
    folder = tmp_path / "data" / "faces"
    folder.mkdir(parents=True)
    (folder / "real.csv").write_text(
        "file,identity,source_repo,crop_side_px,repo_license\nreal/a.jpg,icpsr:1,a/b,256,MIT\n"
    )
    (folder / "synthetic.csv").write_text(
        "file,generator,form,source_repo,source_path,repo_license\n"
        "synthetic/g/t.png,dcgan,untouched,c/d,p,MIT\n"
        "synthetic/r/p.png,_real_photographs,224 px,a/b,p,MIT\n"
    )
    real, fake, photograph = still_faces.read(tmp_path)
    assert fake == ManifestRow(
        id="synthetic/g/t.png",
        path="data/faces/synthetic/g/t.png",
        label="fake",
        video_label="fake",
        source="c/d",
        generator="dcgan",
        kind="generated face",
        quality="untouched",
        codec="png",
    )
    assert (real.label, real.identity, real.quality) == ("real", "icpsr:1", "256 px crop")
    assert (photograph.label, photograph.generator, photograph.kind) == ("real", "", "")


@requires_shared
@pytest.mark.parametrize("name", ["voice", "video", "faces"])
def test_no_protocol_leaks_and_every_clip_is_there(name):
    protocol = read_protocol(name)
    rows = DATASETS[protocol.dataset].read(shared_root())
    assert all((shared_root() / row.path).is_file() for row in rows)
    assert all((shared_root() / row.audio_path).is_file() for row in rows if row.audio_path)
    found = assign_folds(rows, protocol)
    assert find_leaks(found, protocol.held_out) == ()
    for fold in {fold for folds in protocol.sets.values() for fold in folds}:
        training, test = fold_split(rows, protocol, fold)
        assert find_leaks([*training, *test], protocol.held_out) == ()
        assert {row.fold for row in test} == {fold}


@requires_shared
def test_voice_groups_measure_every_generator_and_no_coded_clip():
    protocol = read_protocol("voice")
    rows = DATASETS["demo_voices"].read(shared_root())
    measured = [row for fold in protocol.folds for row in fold_split(rows, protocol, fold)[1]]
    assert Counter(row.id for row in measured).most_common(1)[0][1] == 1
    assert {row.generator for row in measured} == {row.generator for row in rows}
    assert {row.quality for row in measured} == {""}
    assert {row.source for row in measured} == {row.source for row in rows}


@requires_shared
def test_the_shipped_face_network_never_trained_on_a_measured_source():
    card = read_card(read_bundle().checkpoints["visual_forgery"])
    trained = set(card.facts["training"]["sources"])
    protocol = read_protocol("faces")
    found = assign_folds(still_faces.read(shared_root()), protocol)
    assert not trained & {row.source for row in found if row.split == "test"}
    assert {row.source for row in found if row.split == "train"} <= trained
