import pytest

from eval.datasets import DATASETS
from eval.datasets.deepspeak import read
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from tests.eval.datasets.miniature import keeps_contract, put, put_broken, states

_V2 = (
    "video-file,kind,engine,identity-source,identity-target,recording-source,recording-target,"
    "audio-config,gen-config,gesture-type,script-type\n"
    "diff2lip-6868-6860-playht.mp4,lip-sync,diff2lip,284,284,6868,6860,playht,,no-gesture,s\n"
    "facefusion-10294-6880.mp4,face-swap,facefusion,377,284,10294,6880,real,x,no-gesture,s\n"
    "memo-11012-11035-real.mp4,avatar,memo,453,453,11012,11035,real,,no-gesture,scripted-short\n"
)
_V1 = (
    "video-file,kind,engine,identity-source,identity-target,recording-source,recording-target,"
    "recording-target-ai-generated,gesture-type,script-type\n"
    "wav2lip--284-284--1-2--0.mp4,lip-sync,wav2lip,284,284,1,2,True,no-gesture,unscripted\n"
    "facefusion--377-284--3-4--0.mp4,face-swap,facefusion,377,284,3,4,False,no-gesture,s\n"
)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "deepspeak_v2"
    put(root, "deepspeak-v2-0/284-6860.mp4", "deepspeak-v2-1/diff2lip-6868-6860-playht.mp4")
    put_broken(root, "deepspeak-v2-1/facefusion-10294-6880.mp4")
    (root / "annotations-fake.csv").write_text(_V2)
    (root / "annotations-real.csv").write_text(
        "video-file,identity,recording\n284-6860.mp4,284,6860\n453-11035.mp4,453,11035\n"
    )
    (root / "annotations-split-def.csv").write_text("identity,split\n284,train\n453,test\n")
    return root


def test_rows_hold_what_the_tables_say(root):
    real, _, dubbed, swapped, avatar = read(root)
    assert real == ManifestRow(
        id="284-6860.mp4",
        path="deepspeak-v2-0/284-6860.mp4",
        label="real",
        audio_label="real",
        video_label="real",
        speaker="284",
        identity="284",
        source="284",
        language="en",
        split="train",
    )
    assert dubbed == ManifestRow(
        id="diff2lip-6868-6860-playht.mp4",
        path="deepspeak-v2-1/diff2lip-6868-6860-playht.mp4",
        label="fake",
        audio_label="fake",
        video_label="fake",
        speaker="284",
        identity="284",
        source="284",
        generator="diff2lip+playht",
        kind="lip-sync",
        language="en",
        split="train",
    )
    assert (swapped.identity, swapped.source, swapped.audio_label) == ("284", "377", "real")
    assert (swapped.generator, swapped.kind) == ("facefusion", "face-swap")
    assert (avatar.kind, avatar.split) == ("avatar", "test")


def test_the_first_release_says_only_whether_the_voice_is_cloned(root):
    (root / "annotations-fake.csv").write_text(_V1)
    dubbed, swapped = read(root)[2:]
    assert (dubbed.audio_label, dubbed.generator) == ("fake", "wav2lip+elevenlabs")
    assert (swapped.audio_label, swapped.generator) == ("real", "facefusion")


def test_broken_and_missing_media_stay_in(root):
    found = list(states(read(root), root).values())
    assert found == ["readable", "missing", "readable", "broken", "missing"]


def test_contract(root, tmp_path):
    keeps_contract(DATASETS["deepspeak"], root, tmp_path)


def test_no_tables(tmp_path):
    with pytest.raises(ManifestError, match=r"annotations-split-def\.csv is not there"):
        read(tmp_path)


def test_a_person_without_a_split(root):
    (root / "annotations-split-def.csv").write_text("identity,split\n284,train\n")
    with pytest.raises(ManifestError, match=r"identity without a split .*'453'"):
        read(root)


def test_the_same_recording_in_two_archives(root):
    put(root, "deepspeak-v2-3/284-6860.mp4")
    with pytest.raises(ManifestError, match=r"284-6860\.mp4 is there twice"):
        read(root)


def test_neither_release(root):
    (root / "annotations-fake.csv").write_text(
        "video-file,kind,engine,identity-source,identity-target\na.mp4,avatar,memo,284,284\n"
    )
    with pytest.raises(ManifestError, match="recording-target-ai-generated"):
        read(root)
