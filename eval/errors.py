"""What a person who measures can get wrong; every message names the file and says what to do.

AvdetectError
├── ManifestError     a manifest, protocol file or data set folder is not of its layout
│   └── LeakError     two splits share what they must not: nothing is scored on them
└── ScoresError       a score file lacks ids, holds others, is another run's or looks reversed

Every command ends with the exit code of the class.
"""

from __future__ import annotations

from avdetect.errors import AvdetectError


class ManifestError(AvdetectError):
    """A manifest, protocol file or data set folder is not of its layout (exit code 2)."""

    code = "manifest"
    exit_code = 2


class LeakError(ManifestError):
    """Two splits share a speaker, identity, source, generator or file (exit code 2)."""

    code = "leak"


class ScoresError(AvdetectError):
    """A score file lacks ids, holds others, is another run's or looks reversed (exit code 2)."""

    code = "scores"
    exit_code = 2
