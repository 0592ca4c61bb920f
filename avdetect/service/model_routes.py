"""``/v1/model``: which bundle workers judge with, and choosing another while they run."""

from __future__ import annotations

from fastapi import APIRouter

from avdetect.client.wire import ModelChoice, ModelInUse
from avdetect.errors import CheckpointError
from avdetect.service import model_choice, refusals
from avdetect.service.scan_routes import problems
from avdetect.service.state import Admin, Reader, State, answering

router = APIRouter(prefix="/v1/model", tags=["model"])


@router.get("", response_model=ModelInUse, responses=problems(), summary="See the model in use")
def get_model(state: State, caller: Reader) -> ModelInUse:
    """The bundle chosen last, with the SHA-256 of its checkpoints' weights."""
    with answering(), state.store.reading() as session:
        return model_choice.describe(model_choice.chosen(session, state.settings.model))


@router.put("", response_model=ModelInUse, responses=problems(400, 422), summary="Choose a model")
def put_model(state: State, caller: Admin, choice: ModelChoice) -> ModelInUse:
    """Workers load it when they next look; if it does not load, they keep the old one."""
    try:
        wanted = model_choice.describe(choice.name)
    except CheckpointError as error:
        raise refusals.wrong_value(str(error)) from error
    with answering(), state.store.writing() as session:
        model_choice.choose(session, caller.key_id, wanted, state.settings.model)
    return wanted
