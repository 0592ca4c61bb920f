"""What a run knows, on disk: every row survives ``kill -9`` once it is recorded.

One SQLite file beside the results, held by one run at a time. Two facts are kept apart: which
inputs there are and what they hold (`inputs`), and what a model said of a content (`judgements`,
keyed by SHA-256 and model). So a content is judged once wherever and however often it lies, a
renamed file costs a hash, and another model's judgements stay, unused, until it is asked again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from avdetect.archive.listing import Archive, Listed
from avdetect.archive.work import KILLING, Entry, Identity, Outcome, Task
from avdetect.errors import InputNotFoundError, OutputError, UsageError
from avdetect.media.source import display_path
from avdetect.verdict import Failure, Verdict

_APPLICATION_ID = 0x61766461  # "avda", in the header of the file
_PAGE_ROWS = 1000  # read or written at once; nothing of a run is ever held whole
_SCHEMA = f"""
BEGIN;
PRAGMA application_id = {_APPLICATION_ID};
CREATE TABLE inputs (
    position INTEGER PRIMARY KEY,    -- place in the listing, which is the order of the results
    name BLOB NOT NULL,              -- as the file system spells it, which need not be text
    nth INTEGER NOT NULL,            -- a manifest may name a file again; 0: an unreadable folder
    stamp TEXT, sha256 TEXT,         -- what it held when it was identified
    problem TEXT,                    -- why this run cannot read it, a Failure as JSON
    identified INTEGER NOT NULL,     -- whether this run has looked at it
    UNIQUE (name, nth)
);
CREATE INDEX inputs_by_content ON inputs (sha256);
CREATE TABLE judgements (
    sha256 TEXT NOT NULL, model TEXT NOT NULL,
    verdict TEXT,                    -- a Verdict as JSON, or
    failure TEXT,                    -- a Failure as JSON: what it did to every worker that tried
    UNIQUE (sha256, model)
);
CREATE TABLE runs (source TEXT NOT NULL, finished INTEGER NOT NULL);
COMMIT;
"""
# What is known of a name stays with it; nothing else of the last listing does.
_TAKE_LISTING = """
CREATE TEMP TABLE known AS SELECT position, name, nth, stamp, sha256 FROM inputs WHERE nth > 0;
CREATE INDEX temp.known_by_name ON known (name, nth);
DELETE FROM inputs;
INSERT INTO inputs (name, nth, stamp, sha256, problem, identified)
    SELECT name, nth, stamp, sha256, problem, problem IS NOT NULL
    FROM (SELECT place, name, problem, CASE WHEN problem IS NULL
          THEN row_number() OVER (PARTITION BY name ORDER BY place) ELSE 0 END AS nth FROM listed)
    LEFT JOIN known USING (name, nth) ORDER BY {order};
"""
# A run that was cut short owes a row to every input that it listed, be it there or not.
_KEEP_UNFINISHED = """
INSERT INTO inputs (name, nth, stamp, sha256, identified)
    SELECT name, nth, stamp, sha256, 0 FROM known
    WHERE (name, nth) NOT IN (SELECT name, nth FROM inputs) ORDER BY position;
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """One input with what came of it; exactly one of the two answers is given.

    Attributes:
        name: in the listing.
        sha256: of its bytes, None if they were never read.
        verdict: of its content, perhaps under another name.
        failure: why there is none.
    """

    name: str
    sha256: str | None
    verdict: Verdict | None
    failure: Failure | None


class Journal:
    """The record of the runs over one archive; use as a context manager.

    Args:
        path: of the file, made if it is not there.
        archive: what it is about.
        model: fingerprint under which judgements are looked up and recorded.

    Raises:
        UsageError: another run holds it, it is about another archive, or it is no journal.
        OutputError: it cannot be written, here and in every method.
    """

    def __init__(self, path: Path, archive: Archive, model: str) -> None:
        self._path, self._archive, self._model = path, archive, model
        self._uncommitted = 0
        with self._told():
            self._db = sqlite3.connect(path, timeout=0)
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        # Held from the first access to the last, and let go by the system if we are killed.
        self._run("PRAGMA locking_mode = EXCLUSIVE")
        self._run("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = FULL")  # a commit returns when it is on the disk
        ((application,),) = self._run("PRAGMA application_id")
        ((n_tables,),) = self._run("SELECT count(*) FROM sqlite_master")
        if not n_tables:
            with self._told():
                self._db.executescript(_SCHEMA)
        elif application != _APPLICATION_ID:
            raise UsageError(f"{self._name}: is not a journal of avdetect; choose another --out")
        others = self._run("SELECT source FROM runs WHERE source <> ?", self._archive.source)
        if others:
            raise UsageError(
                f"{self._name}: is about {display_path(others[0][0])}; choose another --out, "
                "or delete the journal and its results to start anew"
            )

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._commit()
        finally:
            self._db.close()

    @property
    def is_unfinished(self) -> bool:
        """Whether an earlier run was cut short."""
        return bool(self._run("SELECT 1 FROM runs WHERE NOT finished"))

    def take_listing(self, listed: Iterable[Listed], *, sort: bool) -> int:
        """Begin a run over what is listed now; returns the number of inputs.

        Args:
            listed: a stream; a name that comes again is another input.
            sort: order the inputs by name, instead of as they are listed.
        """
        keep = _KEEP_UNFINISHED if self.is_unfinished else ""
        self._run("CREATE TEMP TABLE listed (place INTEGER PRIMARY KEY, name BLOB, problem TEXT)")
        rows = ((_bytes(entry.name), _json(entry.problem)) for entry in listed)
        with self._told():
            self._db.executemany("INSERT INTO listed (name, problem) VALUES (?, ?)", rows)
        script = _TAKE_LISTING.format(order="name" if sort else "place") + keep
        for statement in (*script.split(";\n"), "DROP TABLE known", "DROP TABLE listed"):
            self._run(statement)
        self._run("DELETE FROM runs")
        self._run("INSERT INTO runs VALUES (?, 0)", self._archive.source)
        self._commit()
        ((n_inputs,),) = self._run("SELECT count(*) FROM inputs")
        return int(n_inputs)

    def forget_killing(self) -> None:
        """Let contents be judged again that killed every worker which tried."""
        self._run("DELETE FROM judgements WHERE model = ? AND failure IS NOT NULL", self._model)

    def unidentified(self) -> Iterator[Entry]:
        """Inputs that this run has not looked at, a page at a time."""
        last = 0
        while page := self._run(
            "SELECT position, name, stamp, sha256 FROM inputs "
            "WHERE NOT identified AND position > ? ORDER BY position LIMIT ?",
            last,
            _PAGE_ROWS,
        ):
            for last, name, stamp, sha256 in page:
                yield Entry(last, self._archive.locate(os.fsdecode(name)), stamp, sha256)

    def record_identity(self, identity: Identity) -> None:
        """Record what an input holds, on the disk a page later at the latest."""
        if identity.problem is not None:
            self._record_problem(identity.position, identity.problem)
        else:
            self._run(
                "UPDATE inputs SET stamp = ?, sha256 = ?, identified = 1 WHERE position = ?",
                identity.stamp,
                identity.sha256,
                identity.position,
            )
        self._uncommitted += 1
        if self._uncommitted >= _PAGE_ROWS:
            self._commit()

    def is_judged(self, sha256: str) -> bool:
        """Whether this model has judged a content, or died of it."""
        sql = "SELECT 1 FROM judgements WHERE sha256 = ? AND model = ?"
        return bool(self._run(sql, sha256, self._model))

    def unjudged(self) -> Iterator[Task]:
        """One task for every content that is still without an answer, a page at a time."""
        last = ""
        while page := self._run(
            "SELECT min(position), name, sha256 FROM inputs WHERE problem IS NULL AND sha256 > ? "
            "AND sha256 NOT IN (SELECT sha256 FROM judgements WHERE model = ?) "
            "GROUP BY sha256 ORDER BY sha256 LIMIT ?",
            last,
            self._model,
            _PAGE_ROWS,
        ):
            for position, name, last in page:
                yield Task(position, self._archive.locate(os.fsdecode(name)), last)

    def record(self, outcome: Outcome) -> None:
        """Record what came of a task; it is on the disk when this returns."""
        failure = outcome.failure
        if failure is not None and failure.code not in KILLING:
            self._record_problem(outcome.position, failure)
        else:
            self._run(
                "INSERT INTO judgements VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                outcome.sha256,
                self._model,
                outcome.verdict,
                _json(failure),
            )
            # The bytes judged count, should the file have changed since it was identified.
            self._run(
                "UPDATE inputs SET sha256 = ?, stamp = NULL WHERE position = ? AND sha256 <> ?",
                outcome.sha256,
                outcome.position,
                outcome.sha256,
            )
        self._commit()

    def settled(self) -> Iterator[Settled]:
        """Every input with what came of it, in order; to be asked when nothing is unjudged."""
        last = 0
        while page := self._run(
            "SELECT position, name, judgements.sha256, verdict, coalesce(problem, failure) "
            "FROM inputs LEFT JOIN judgements ON judgements.sha256 = inputs.sha256 AND model = ? "
            "AND problem IS NULL WHERE position > ? ORDER BY position LIMIT ?",
            self._model,
            last,
            _PAGE_ROWS,
        ):
            last = page[-1][0]
            for _, name, sha256, verdict, failure in page:
                yield Settled(
                    name=os.fsdecode(name),
                    sha256=sha256,
                    verdict=None if verdict is None else Verdict.from_json(verdict),
                    failure=None if failure is None else Failure.model_validate_json(failure),
                )

    def finish(self) -> None:
        """Record that the results are written: nothing is owed any more."""
        self._run("UPDATE runs SET finished = 1")
        self._commit()

    def _record_problem(self, position: int, problem: Failure) -> None:
        """An input that cannot be read; one that is gone keeps what was said of it."""
        self._run(
            "UPDATE inputs SET identified = 1, problem = CASE WHEN ? AND EXISTS (SELECT 1 FROM "
            "judgements WHERE judgements.sha256 = inputs.sha256 AND model = ?) THEN NULL ELSE ? "
            "END WHERE position = ?",
            problem.code == InputNotFoundError.code,
            self._model,
            _json(problem),
            position,
        )

    def _commit(self) -> None:
        with self._told():
            self._db.commit()
        self._uncommitted = 0

    def _run(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with self._told():
            return self._db.execute(sql, values).fetchall()

    @property
    def _name(self) -> str:
        return display_path(self._path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise UsageError(
                    f"{self._name}: another run is at work on it; wait for it, or choose "
                    "another --out"
                ) from error
            raise OutputError(
                f"{self._name}: cannot be written: {error}; what is recorded is safe, "
                "run again once there is room"
            ) from error
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"{self._name}: is not a journal of avdetect, or damaged ({error}); "
                "choose another --out"
            ) from error


def _bytes(name: str) -> bytes:
    try:
        return os.fsencode(name)
    except UnicodeEncodeError:  # half a character, as JSON can spell it: no file has that name
        return name.encode("utf-8", "surrogatepass")


def _json(failure: Failure | None) -> str | None:
    return None if failure is None else failure.model_dump_json()
