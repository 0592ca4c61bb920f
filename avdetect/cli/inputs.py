"""From what was typed to the list of inputs: files as given, folders searched, ``-`` read."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from avdetect.errors import InputError, InputNotFoundError, UsageError

STDIN_NAME = "-"

# What a folder is searched for; a file named on the command line is opened whatever its name.
MEDIA_SUFFIXES = frozenset(
    # sound
    ".wav .wave .mp3 .flac .ogg .oga .opus .m4a .aac .wma .aif .aiff .au .snd .amr .awb .gsm .g722"
    " .spx .caf .ac3 .mka"
    # video
    " .mp4 .m4v .mov .mkv .webm .avi .mpg .mpeg .ts .mts .m2ts .3gp .3g2 .flv .wmv .ogv .vob .mxf"
    # still pictures
    " .jpg .jpeg .png .webp .bmp .tif .tiff".split()
)
RAW_SUFFIXES = frozenset(
    ".raw .pcm .ul .ulaw .mulaw .al .alaw .s16 .s16le .sw .sln .g711u .g711a".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One input: what to open, what to call it, or why there is nothing to open."""

    name: str
    media: Path | BinaryIO | None = None
    problem: InputError | None = None


def find_sources(arguments: list[str], *, raw: bool) -> list[Source]:
    """All inputs in the order given, folders expanded in sorted order.

    Args:
        arguments: paths, or ``-`` for standard input.
        raw: inputs are headerless, so folders are searched for raw suffixes instead.

    Raises:
        UsageError: if standard input is asked for twice or is a terminal.
    """
    if arguments.count(STDIN_NAME) > 1:
        raise UsageError("standard input (-) can be read once only")
    suffixes = RAW_SUFFIXES if raw else MEDIA_SUFFIXES
    return [source for argument in arguments for source in _expand(argument, suffixes)]


def _expand(argument: str, suffixes: frozenset[str]) -> Iterator[Source]:
    if argument == STDIN_NAME:
        if sys.stdin.isatty():
            raise UsageError("-: standard input is a terminal; pipe a clip into it")
        yield Source(name=STDIN_NAME, media=sys.stdin.buffer)
    elif os.path.isdir(argument):  # noqa: PTH112  (Path's raises for a name too long or locked)
        yield from _search(Path(argument), suffixes)
    else:
        yield Source(name=argument, media=Path(argument))


def _search(folder: Path, suffixes: frozenset[str]) -> Iterator[Source]:
    unreadable: list[OSError] = []
    found = False
    for parent, folders, files in os.walk(folder, onerror=unreadable.append):
        folders.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if path.suffix.lower() in suffixes and _may_be_a_clip(path):
                found = True
                yield Source(name=str(path), media=path)
    for error in unreadable:
        name = os.fsdecode(error.filename or folder)
        yield Source(
            name=name, problem=InputNotFoundError(f"the folder cannot be read: {error.strerror}")
        )
    if not found and not unreadable:
        yield Source(name=str(folder), problem=InputNotFoundError("no media files in this folder"))


def _may_be_a_clip(path: Path) -> bool:
    """False of a pipe or device that merely lies in the folder, and of a link to nothing."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
    except OSError:  # locked, or a link in a circle: opening it says why
        return True
