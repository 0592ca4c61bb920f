"""The model in use: chosen by name while the service runs, with both sets of hashes on record."""

from __future__ import annotations

from sqlalchemy.orm import Session

from avdetect.checkpoint import read_bundle, read_card
from avdetect.client.wire import ModelInUse
from avdetect.service import audit
from avdetect.service.tables import SettingRow
from avdetect.verdict import Model

_NAME = "model"


def chosen(session: Session, default: str) -> str:
    """Name of the bundle that workers shall judge with."""
    row = session.get(SettingRow, _NAME)
    return default if row is None else str(row.value["name"])


def describe(name: str) -> ModelInUse:
    """A bundle with the hashes its cards state.

    Raises:
        CheckpointError: no such bundle, or a card of it is absent or damaged.
    """
    cards = [read_card(checkpoint) for checkpoint in read_bundle(name).checkpoints.values()]
    models = tuple(Model(id=card.name, sha256=card.weights_sha256) for card in cards)
    return ModelInUse(name=name, models=models)


def choose(session: Session, actor: str, wanted: ModelInUse, default: str) -> None:
    """Let workers load another bundle as soon as they see it; scans under way keep theirs."""
    audit.lock(session)
    before = describe(chosen(session, default))
    facts = {"from": _hashes(before), "to": _hashes(wanted)}
    session.merge(SettingRow(name=_NAME, value={"name": wanted.name}))
    audit.append(session, actor=actor, action="model.choose", subject=wanted.name, facts=facts)


def _hashes(model: ModelInUse) -> dict[str, str]:
    return {each.id: each.sha256 for each in model.models}
