"""Archives: judge up to millions of files, exactly one row each, interrupted and resumed at will.

`run_archive` is the door. A run is a conversation between a journal on disk (what is known) and an
engine (who works): files are listed into the journal, identified by their SHA-256, and every
content that this model has not judged yet is judged once; the results are written at the end from
the journal alone.
"""

from avdetect.archive.run import ArchiveRequest, run_archive

__all__ = ["ArchiveRequest", "run_archive"]
