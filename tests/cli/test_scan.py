"""What `avdetect scan` prints, writes and returns, for verdicts that are known."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from avdetect.cli import scan
from avdetect.cli.app import run
from avdetect.errors import InputNotFoundError
from avdetect.verdict import Verdict
from tests.report import known


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("words", "options", "code"),
    [
        (["real"], [], 0),
        (["fake", "real"], [], 0),
        (["fake", "unsure"], ["--fail-on", "fake"], 1),
        (["real"], ["--fail-on", "fake"], 0),
        (["real", "unsure"], [], 3),
        (["broken", "real"], [], 3),
    ],
)
def test_exit_code_is_the_first_that_holds(detector, clips, words, options, code):
    assert run(["scan", *(str(clips / f"{word}.wav") for word in words), *options]) == code


def test_headline_names_decision_llr_probability_and_prior(detector, clips, capsys):
    run(["scan", str(clips / "fake.wav"), "--prior-fake", "0.01", "--quiet"])
    assert lines_of(capsys) == [
        f"{clips}/fake.wav: FAKE, LLR +3.00 (moderate support for fake), "
        "probability of fake 16.9 % at prior 1 %"
    ]


def test_failed_input_is_one_line_and_the_others_are_judged(detector, clips, capsys):
    run(["scan", str(clips / "broken.wav"), str(clips / "real.wav"), "--quiet"])
    broken, real = lines_of(capsys)
    assert broken == (
        f"{clips}/broken.wav: NOT JUDGED (unreadable_media): no sound or picture in it"
    )
    assert "REAL" in real


def test_json_is_one_verdict_a_line_in_input_order(detector, clips, capsys):
    names = ["unsure", "fake", "broken", "real"]
    run(["scan", *(str(clips / f"{name}.wav") for name in names), "--json"])
    verdicts = [Verdict.from_json(line) for line in lines_of(capsys)]
    assert [Path(verdict.input.path).stem for verdict in verdicts] == names


def test_folder_is_searched_in_sorted_order_for_media_only(detector, tmp_path, capsys):
    for name in ("b/2.wav", "b/1.MP4", "a.opus", "notes.txt", "c.wav"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("real")
    (tmp_path / "in" / "folder.wav").mkdir()
    run(["scan", str(tmp_path / "in"), "--json"])
    found = [json.loads(line)["input"]["path"] for line in lines_of(capsys)]
    assert found == [f"{tmp_path}/in/{name}" for name in ("a.opus", "c.wav", "b/1.MP4", "b/2.wav")]


def test_a_name_too_long_for_any_file_is_reported_and_the_others_are_judged(clips, capsys):
    from avdetect.cli.inputs import find_sources
    from avdetect.media.source import open_source

    name = "x" * 300
    good, bad = find_sources([str(clips / "real.wav"), name], raw=False)
    assert good.media == clips / "real.wav"
    with pytest.raises(InputNotFoundError, match=f"{name}: cannot be opened: File name too long"):
        open_source(bad.media)


def test_a_link_to_itself_in_a_folder_is_reported_beside_the_clips(detector, clips, capsys):
    from avdetect.cli.inputs import find_sources

    (clips / "loop.wav").symlink_to("loop.wav")
    (clips / "nothing.wav").symlink_to("nowhere.wav")
    os.mkfifo(clips / "pipe.wav")
    found = [Path(source.name).stem for source in find_sources([str(clips)], raw=False)]
    assert found == ["broken", "fake", "loop", "real", "unsure"]


def test_folder_without_media_is_an_input_that_could_not_be_judged(detector, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("nothing to hear")
    assert run(["scan", str(tmp_path), "--json"]) == 3
    (verdict,) = [Verdict.from_json(line) for line in lines_of(capsys)]
    assert verdict.error is not None
    assert verdict.error.code == "not_found"
    assert str(tmp_path) in verdict.error.message


def test_raw_format_searches_folders_for_raw_files_and_reaches_the_detector(
    detector, tmp_path, capsys
):
    (tmp_path / "call.ul").write_text("real")
    (tmp_path / "call.wav").write_text("real")
    assert run(["scan", str(tmp_path), "--format", "ulaw", "--rate", "8000", "--json"]) == 0
    assert [json.loads(line)["input"]["path"] for line in lines_of(capsys)] == [
        f"{tmp_path}/call.ul"
    ]
    assert detector.asked == [
        {
            "channel": "all",
            "cues": "default",
            "prior_fake": 0.5,
            "format": "ulaw",
            "rate": 8000,
        }
    ]


def test_a_reference_is_enrolled_once_for_all_inputs(detector, clips, capsys):
    run(["scan", str(clips), "--json", "--reference", "customer.wav"])
    assert detector.enrolled == [Path("customer.wav")]
    assert {options["reference"] for options in detector.asked} == {"voice of customer.wav"}


def test_scores_are_explained_only_for_a_report(detector, clips, capsys, tmp_path):
    real = str(clips / "real.wav")
    run(["scan", real, "--json", "--report", str(tmp_path / "pages")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"real"), isatty=lambda: False)
        )
        run(["scan", "-", "--json"])
    assert [options["explain"] for options in detector.asked] == [True, False]


def test_standard_input_is_judged_under_its_sign(detector, capsys, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(b"fake"), isatty=lambda: False)
    monkeypatch.setattr("sys.stdin", stdin)
    assert run(["scan", "-", "--json", "--fail-on", "fake"]) == 1
    assert json.loads(lines_of(capsys)[0])["input"]["path"] == "-"


@pytest.mark.parametrize(
    "options",
    [
        ["--prior-fake", "0"],
        ["--prior-fake", "1"],
        ["--prior-fake", "nan"],
        ["--prior-fake", "much"],
        ["--channel", "middle"],
        ["--channel", "-1"],
        ["--format", "ulaw"],
        ["--rate", "8000"],
        ["--format", "mp3", "--rate", "8000"],
        ["--format", "ulaw", "--rate", "0"],
        ["--fail-on", "real"],
        ["--device", "tpu"],
        ["--no-media"],
        ["--speaker-model", "ecapa"],
        ["--colour"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(detector, clips, capsys, options):
    assert run(["scan", str(clips / "real.wav"), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("avdetect: ")
    assert captured.err.count("\n") == 1
    assert detector.asked == []


@pytest.mark.parametrize("arguments", [["scan"], ["scan", "-", "-"], ["frobnicate"]])
def test_wrong_arguments_are_one_line_and_exit_code_2(arguments, capsys):
    assert run(arguments) == 2
    assert capsys.readouterr().err.startswith("avdetect: ")


def test_names_cannot_move_the_cursor_or_forge_a_line(detector, tmp_path, capsys):
    path = tmp_path / "a\x1b[2J\nb.wav: REAL\u202e.wav"
    path.write_text("fake")
    run(["scan", str(path), "--quiet"])
    (line,) = lines_of(capsys)
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert "FAKE" in line


def test_rich_markup_in_names_is_text(detector, tmp_path, capsys):
    path = tmp_path / "[red]x[bold].wav"
    path.write_text("real")
    run(["scan", str(path), "--quiet"])
    assert "[red]x[bold].wav: REAL" in capsys.readouterr().out


def test_reports_are_one_page_per_clip(detector, clips, tmp_path, capsys):
    pages = tmp_path / "new" / "pages"
    run(["scan", str(clips), "--report", str(pages)])
    written = sorted(path.name for path in pages.iterdir())
    stem = "5f5f5f5f5f5f.html"
    assert written == [f"fake-{stem}", f"real-{stem}", f"unsure-{stem}"]  # broken was never read
    assert "data:audio/wav" in (pages / f"fake-{stem}").read_text("utf-8")


def test_no_media_leaves_faces_and_sound_out(detector, clips, tmp_path):
    run(["scan", str(clips / "fake.wav"), "--report", str(tmp_path / "pages"), "--no-media"])
    (page,) = (tmp_path / "pages").iterdir()
    assert "data:" not in page.read_text("utf-8").split("</head>")[1]


def test_report_folder_that_cannot_be_made_stops_before_judging(detector, clips, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    assert run(["scan", str(clips), "--report", str(tmp_path / "taken")]) == 2
    assert detector.asked == []
    assert capsys.readouterr().err.startswith("avdetect: ")


def test_interrupt_tells_how_many_are_done_and_leaves_no_half_page(
    detector, clips, tmp_path, capsys
):
    detector.interrupt_at = 2
    assert run(["scan", str(clips), "--report", str(tmp_path / "pages")]) == 130
    captured = capsys.readouterr()
    assert captured.err == "avdetect: interrupted: 2 of 4 inputs done\n"
    assert [path.suffix for path in (tmp_path / "pages").iterdir()] == [
        ".html"
    ]  # fake; broken has none


def test_libraries_that_print_do_not_reach_the_results(detector, clips, capsys, monkeypatch):
    examine = detector.examine

    def chatty(source, **options):
        print("loading weights")  # noqa: T201
        return examine(source, **options)

    monkeypatch.setattr(detector, "examine", chatty)
    run(["scan", str(clips / "real.wav"), "--json"])
    captured = capsys.readouterr()
    assert json.loads(captured.out)["decision"] == "real"
    assert "loading weights" in captured.err


def test_a_bug_is_one_line_too(detector, clips, capsys, monkeypatch):
    monkeypatch.delenv("AVDETECT_DEBUG", raising=False)
    monkeypatch.setattr(detector, "scan_many", lambda media, **options: iter([None]))
    assert run(["scan", str(clips / "real.wav")]) == 3
    error = capsys.readouterr().err
    assert error.startswith("avdetect: AttributeError")
    assert error.count("\n") == 1


def test_a_comparison_that_was_asked_for_is_told_in_one_line_more(clips):
    out = io.StringIO()
    scan._print_verdict(known.referenced_call(), SimpleNamespace(json=False, quiet=True), out)
    head, *compared = out.getvalue().splitlines()
    assert head.startswith("call.wav: FAKE")
    assert compared[0].strip().startswith("reference similarity 0.62 to customer.wav")
    assert not any("branch" in line for line in compared)
