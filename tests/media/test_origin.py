"""What a file says of its own making is read as a claim, whoever wrote it and however badly."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from avdetect.media.clip import open_clip
from avdetect.media.origin import read_jpeg
from tests.synth import Sound, encode, noise


def jpeg(quality: int = 80, **options) -> bytes:
    picture = np.random.default_rng(0).integers(0, 255, (64, 80, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality, **options)
    return out.getvalue()


def camera(make: str) -> Image.Exif:
    exif = Image.Exif()
    exif[271], exif[272], exif[305] = make, "X100", "Firmware 1.0"
    return exif


def test_tables_of_a_jpeg_are_those_it_was_coded_with():
    data = jpeg(quality=80)
    found = read_jpeg(io.BytesIO(data))
    with Image.open(io.BytesIO(data)) as opened:
        written = [tuple(table) for table in opened.quantization.values()]
    assert [sorted(table) for table in found.tables] == [sorted(table) for table in written]
    assert min(map(min, read_jpeg(io.BytesIO(jpeg(quality=95))).tables)) < min(
        map(min, read_jpeg(io.BytesIO(jpeg(quality=30))).tables)
    )


def test_sampling_and_scans_are_told():
    assert read_jpeg(io.BytesIO(jpeg(subsampling=2))).sampling == "2x2,1x1,1x1"
    assert read_jpeg(io.BytesIO(jpeg(subsampling=0))).sampling == "1x1,1x1,1x1"
    assert not read_jpeg(io.BytesIO(jpeg())).is_progressive
    assert read_jpeg(io.BytesIO(jpeg(progressive=True))).is_progressive


def test_camera_is_what_the_exif_data_claims(tmp_path):
    path = tmp_path / "shot.jpg"
    path.write_bytes(jpeg(exif=camera("Fuji")))
    with open_clip(path) as clip:
        assert clip.origin.jpeg.camera == {
            "make": "Fuji",
            "model": "X100",
            "software": "Firmware 1.0",
        }


def test_every_cut_of_a_header_is_read_or_refused_without_an_error():
    data = jpeg(exif=camera("A" * 5000))
    whole = read_jpeg(io.BytesIO(data))
    assert len(whole.camera["make"]) == 200
    for end in range(0, 1500, 7):
        read_jpeg(io.BytesIO(data[:end]))
    rng = np.random.default_rng(1)
    for _ in range(200):
        damaged = bytearray(data)
        for place in rng.integers(2, 1200, 5):
            damaged[place] = rng.integers(256)
        read_jpeg(io.BytesIO(bytes(damaged)))


def test_container_tags_are_read(tmp_path):
    path = encode(tmp_path / "call.wav", sound=Sound(samples=noise(1.0), codec="pcm_s16le"))
    with open_clip(path) as clip:
        assert clip.origin.container == "wav"
        assert clip.origin.tags["encoder"].startswith("Lavf")
        assert clip.origin.jpeg is None
