"""``avdetect provenance``: what a file says, or carries, of its own origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avdetect.cli.streams import own_streams
from avdetect.report.words import plain

if TYPE_CHECKING:
    from avdetect.provenance.origin import ProvenanceFindings

PROVENANCE_HELP = """Show what a file says of its origin: Content Credentials, watermarks, metadata.

All of it is a claim of whoever made the file, and easily removed: what names a generative model \
is worth a look, silence proves nothing. Nothing is fetched from the network, and no signer is \
trusted but those that --trust-anchors vouch for.

\b
Examples:
  avdetect provenance photo.jpg
  avdetect provenance photo.jpg --trust-anchors c2pa-trust-list.pem
  avdetect provenance clip.mp4 --json

\b
Exit codes:
  0    the file was inspected, whatever was found
  2    wrong usage, or the trust anchors cannot be read
  3    the file cannot be read
"""


def provenance(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    trust_anchors: Annotated[
        Path | None,
        typer.Option(
            metavar="PEM", help="Certificates that may vouch for signers; none are shipped."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """See `PROVENANCE_HELP`."""
    from avdetect.provenance.content_credentials import read_trust_anchors
    from avdetect.provenance.inspection import inspect_provenance

    anchors = None if trust_anchors is None else read_trust_anchors(trust_anchors)
    with own_streams():
        found = inspect_provenance(file, trust_anchors=anchors)
    if json:
        typer.echo(found.to_json())
        return
    for line in provenance_lines(found):
        typer.echo(line)


def provenance_lines(found: ProvenanceFindings) -> Iterator[str]:
    """What is printed: the findings, what the credentials claim, and what was not looked for."""
    yield f"{plain(found.path)}: provenance"
    for sentence in found.sentences:
        yield f"    {plain(sentence)}"
    credentials = found.credentials
    if credentials.claim_generator:
        yield f"    claims to be written by: {plain(credentials.claim_generator)}"
    if credentials.signed_at:
        yield f"    signed at: {plain(credentials.signed_at)}"
    for action in credentials.actions:
        words = [action.action, action.source_type, action.software, action.when]
        yield f"    claimed step: {plain(', '.join(word for word in words if word))}"
    for ingredient in credentials.ingredients:
        made = ", itself said to be made by a model" if ingredient.made_by_model else ""
        yield f"    claimed ingredient: {plain(ingredient.title)}{made}"
    for mark in found.metadata:
        yield f"    {plain(mark.where)}: {plain(mark.text)}"
    yield "    not checked:"
    for line in found.not_checked:
        yield f"      {plain(line)}"
