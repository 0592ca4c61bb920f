"""The one way a test skips because the training data is not on this machine."""

from __future__ import annotations

import pytest

from eval.shared_data import shared_root

requires_shared = pytest.mark.skipif(
    not (shared_root() / "data").is_dir(),
    reason=f"training data is not at {shared_root()}; set $AVDETECT_DATA to run this test",
)
