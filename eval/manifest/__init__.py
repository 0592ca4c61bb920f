"""One table for every data set: what each clip is, whose it is, and which split it stands in."""

from eval.manifest.row import ManifestRow, Truth

__all__ = ["ManifestRow", "Truth"]
