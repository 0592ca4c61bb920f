import numpy as np
import pytest

from avdetect.errors import AvdetectError
from tests.bad_media import REFUSED, make_corpus
from tests.media.reading import read_whole


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("bad") / "corpus")


def test_every_bad_input_is_read_or_refused_in_one_line(corpus, capfd):
    wrong = {}
    for name, path in corpus.items():
        try:
            read_whole(path)
            outcome = None
        except AvdetectError as e:
            outcome = type(e)
            assert "\n" not in str(e) and str(e).isprintable(), name
            assert str(e).isascii() and path.name[:5].strip("\x1b\n") in str(e), name
        if outcome is not REFUSED.get(name):
            wrong[name] = outcome
    assert wrong == {}
    assert capfd.readouterr() == ("", "")


def test_the_list_of_refusals_names_only_what_is_made(corpus):
    assert set(REFUSED) <= set(corpus)


@pytest.mark.parametrize(("name", "n_bad"), [("nan_samples", 1002), ("all_nan", 16000)])
def test_samples_that_are_no_numbers_are_counted(corpus, name, n_bad):
    whole = read_whole(corpus[name])
    assert whole.clip.n_bad_samples == n_bad
    assert np.isfinite(whole.waveform).all() and np.isfinite(whole.native).all()


def test_duration_is_what_the_header_says_and_the_sound_what_is_there(corpus):
    whole = read_whole(corpus["mkv_claims_10_hours"])
    assert whole.clip.duration_s == pytest.approx(36000)
    assert whole.waveform.shape[1] == pytest.approx(4 * 16000, abs=1000)


def test_playlists_open_nothing(corpus):
    for name in ("playlist_of_others", "concatenation_of_others"):
        with pytest.raises(AvdetectError, match="is not sound, video or a picture"):
            read_whole(corpus[name])


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["whole.mp4", "whole.mkv", "whole.webm", "whole.ogg", "whole.mp3"])
def test_cut_at_any_place_never_crashes(corpus, tmp_path, kind, share):
    whole = corpus["jpg_cut_in_half"].with_name(kind).read_bytes()
    path = tmp_path / kind
    path.write_bytes(whole[: round(len(whole) * share)])
    try:
        read_whole(path)
    except AvdetectError as e:
        assert str(e).startswith(str(path))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["whole.mp4", "whole.mkv", "whole.webm", "whole.ogg", "whole.mp3"])
def test_flipped_bytes_never_crash(corpus, tmp_path, kind, seed):
    rng = np.random.default_rng(seed)
    data = np.frombuffer(corpus["jpg_cut_in_half"].with_name(kind).read_bytes(), np.uint8).copy()
    data[rng.integers(0, len(data), 40)] = rng.integers(0, 256, 40)
    path = tmp_path / kind
    path.write_bytes(data.tobytes())
    try:
        read_whole(path)
    except AvdetectError as e:
        assert str(e).startswith(str(path))
