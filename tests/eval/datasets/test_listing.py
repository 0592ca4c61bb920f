import pytest

from eval.datasets.listing import read_table, read_unquoted, read_words
from eval.errors import ManifestError


def test_tables_keep_further_columns_quotes_and_order(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(
        '\ufefffile, speaker,more\r\n1.wav,"A, B\u2028C",x\r\n\r\n0.wav,Ä,\r\n'.encode()
    )
    assert read_table(path, ["speaker", "file"]) == [
        {"file": "1.wav", "speaker": "A, B\u2028C", "more": "x"},
        {"file": "0.wav", "speaker": "Ä", "more": ""},
    ]


def test_words_lie_between_any_blanks(tmp_path):
    path = tmp_path / "l.txt"
    path.write_text("a  b\tc\n\n d e f \n")
    assert read_words(path, "xyz") == [
        {"x": "a", "y": "b", "z": "c"},
        {"x": "d", "y": "e", "z": "f"},
    ]


def test_an_unquoted_table_leaves_quotes_and_bars_of_its_text(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text('n|text\n1|he said "no\n2|a|b\n')
    found = read_unquoted(path, ["n"])
    assert [row["text"] for row in found] == ['he said "no', "a|b"]


@pytest.mark.parametrize("read", [read_table, read_unquoted, read_words])
def test_what_is_no_text_is_named(tmp_path, read):
    path = tmp_path / "t"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="cannot be read as UTF-8"):
        read(path, ["n"])
    with pytest.raises(ManifestError, match="is not there: expected the data set's list with n"):
        read(tmp_path / "u", ["n"])


@pytest.mark.parametrize("read", [read_table, read_unquoted])
def test_an_empty_file_lacks_its_columns(tmp_path, read):
    path = tmp_path / "t"
    path.write_text("")
    with pytest.raises(ManifestError, match="no column n; expected a header"):
        read(path, ["n"])
