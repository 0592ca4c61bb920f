import io

import av
import numpy as np
import pytest
from PIL import Image

from avdetect.cues.base import ClipFacts, CuePicture, CueTools, Medium
from avdetect.cues.metadata import CUE
from avdetect.cues.metadata_rules import RULES
from avdetect.media.clip import open_clip
from tests import synth
from tests.cues.textures import texture

_MAKE, _MODEL, _SOFTWARE, _DATETIME = 271, 272, 305, 306
_ODD_TABLES = [[6 + k // 8 for k in range(64)], [9 + k // 8 for k in range(64)]]


def facts(source):
    with open_clip(source) as clip:
        return ClipFacts(
            is_still=clip.is_still,
            duration_s=clip.duration_s,
            streams=clip.streams,
            origin=clip.origin,
        )


def measured(source):
    return CUE.start(facts(source), CueTools()).measurements()[0]


def photo(exif=(), **options):
    tags = Image.Exif()
    for tag, value in dict(exif).items():
        tags[tag] = value
    out = io.BytesIO()
    Image.fromarray(texture(64, 64)).save(out, "JPEG", exif=tags, **options)
    return out.getvalue()


def strength(measurement, feature):
    return measurement.features[CUE.features.index(feature)]


def with_tags(path, tags, **media):
    """The file anew with tags of its container, packets as they are."""
    plain = synth.encode(path.with_name(f"plain_{path.name}"), **media)
    options = {"movflags": "use_metadata_tags"}
    with av.open(str(plain)) as source, av.open(str(path), "w", options=options) as out:
        out.metadata.update(tags)
        copies = {s.index: out.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    return path


def pictures(n=20):
    return synth.numbered_pictures(synth.constant_rate(n, 25.0))


def test_a_camera_with_tables_of_its_own_contradicts_nothing():
    told = measured(photo({_MAKE: "Canon", _MODEL: "EOS 5D"}, qtables=_ODD_TABLES))
    assert told.features == (0.0,) * len(CUE.features)
    assert "nothing" in told.text
    assert told.medium is Medium.STILL


def test_a_camera_with_the_tables_of_the_common_library_is_a_contradiction():
    told = measured(photo({_MAKE: "Canon", _MODEL: "EOS 5D"}, quality=90))
    assert strength(told, "contradiction_strength") > 0
    assert "quality 90" in told.text


def test_a_camera_does_not_code_progressively():
    told = measured(photo({_MAKE: "Canon"}, qtables=_ODD_TABLES, progressive=True))
    assert "progressively" in told.text


def test_an_editor_and_a_generator_are_told_apart_by_their_names():
    editor = measured(photo({_SOFTWARE: "Adobe Photoshop 24.1"}, quality=90))
    assert strength(editor, "editor_strength") > 0
    assert strength(editor, "generator_strength") == 0
    generator = measured(photo({_SOFTWARE: "Stable Diffusion XL"}, quality=90))
    assert strength(generator, "generator_strength") == 1.0


@pytest.mark.parametrize("innocent", ["Sorata 2", "Proofed", "EOS Utility", "Xpikachu"])
def test_names_count_only_as_words(innocent):
    told = measured(photo({_SOFTWARE: innocent, _MAKE: "Canon"}, qtables=_ODD_TABLES))
    assert told.features == (0.0,) * len(CUE.features)


def test_a_clock_that_was_never_set_is_said():
    told = measured(photo({_MAKE: "Canon", _DATETIME: "1970:01:01 00:00:00"}, qtables=_ODD_TABLES))
    assert "1970" in told.text
    assert strength(told, "clock_strength") > 0


def test_a_telephone_recording_that_an_encoder_library_wrote_is_a_contradiction(tmp_path):
    phone = {"com.apple.quicktime.make": "Apple", "com.apple.quicktime.model": "iPhone 14"}
    told = measured(with_tags(tmp_path / "phone.mp4", phone, pictures=pictures()))
    assert "claims a camera, yet names lavf in its tag encoder" in told.text
    assert told.medium is Medium.VIDEO
    plain = measured(synth.encode(tmp_path / "plain.mp4", pictures=pictures()))
    assert strength(plain, "contradiction_strength") == 0
    assert strength(told, "contradiction_strength") > 0


def test_sound_of_a_rate_no_recorder_uses_is_said(tmp_path):
    sound = synth.Sound(samples=synth.tone(0.8, 24000), rate_hz=24000)
    media = {"pictures": pictures(), "sound": sound}
    told = measured(with_tags(tmp_path / "phone.mp4", {"make": "Apple"}, **media))
    assert "24000 Hz" in told.text


def test_sound_that_starts_late_or_ends_late_is_said(tmp_path):
    late = synth.Sound(samples=synth.tone(0.8), start_s=0.4)
    told = measured(synth.encode(tmp_path / "late.mp4", pictures=pictures(), sound=late))
    assert "after the picture" in told.text
    long = synth.Sound(samples=synth.tone(3.0))
    told = measured(synth.encode(tmp_path / "long.mp4", pictures=pictures(), sound=long))
    assert "sound that ends" in told.text
    fits = synth.Sound(samples=synth.tone(0.8))
    told = measured(synth.encode(tmp_path / "fits.mp4", pictures=pictures(), sound=fits))
    assert strength(told, "clock_strength") == 0


def test_a_file_without_a_word_of_itself_abstains():
    blob = synth.wav_bytes((1000 * synth.tone(1.0)).astype("<i2"), 16000)
    told = measured(blob)
    assert told.missing == "the file says nothing of its making"
    assert told.medium is Medium.SOUND


def test_the_figure_shows_every_rule():
    (figure,) = CUE.start(facts(photo(quality=90)), CueTools()).figures()
    assert isinstance(figure, CuePicture)
    assert not figure.shows_person
    assert max(figure.pixels.shape[:2]) <= 320
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert np.unique(figure.pixels).size > 2
