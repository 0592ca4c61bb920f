"""Content Credentials (C2PA specification 2.x), read and validated by the C2PA project's library.

Nothing is fetched: manifests that lie elsewhere and revocation lists (OCSP) are left alone. No
authority is trusted unless the user names one, so without trust anchors a signature can be whole
but never trusted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.x509 import load_pem_x509_certificates

from avdetect.errors import UsageError
from avdetect.media.source import Source, display_path
from avdetect.provenance.origin import (
    ClaimedAction,
    ClaimedIngredient,
    ContentCredentials,
    CredentialState,
)

_MAX_ANCHOR_BYTES = 16 << 20
_MODEL_SOURCES = frozenset(  # IPTC NewsCodes, digital source types
    {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
    }
)
_UNTRUSTED = "signingCredential.untrusted"
_BROKEN = ("assertion.", "claimSignature.mismatch", "claim.hardBindings", "ingredient.")
_MOST_TOLD = 50


def read_trust_anchors(path: Path) -> str:
    """Certificates that may vouch for signers, as PEM text.

    Raises:
        UsageError: the file cannot be read or holds no certificate.
    """
    called = display_path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_ANCHOR_BYTES)
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise UsageError(f"{called}: the trust anchors cannot be read: {reason}") from e
    try:
        if not load_pem_x509_certificates(data):
            raise ValueError
        return data.decode("ascii", "ignore")
    except ValueError as e:
        raise UsageError(f"{called}: holds no certificate in PEM form") from e


def read_credentials(source: Source, trust_anchors: str | None = None) -> ContentCredentials:
    """Read and validate the manifest in a file.

    Args:
        source: an opened file.
        trust_anchors: see `read_trust_anchors`; None trusts nobody.
    """
    import c2pa  # here: it loads a native library of tens of megabytes

    try:
        with c2pa.Context.from_dict(_settings(trust_anchors)) as context:
            reader = c2pa.Reader.try_create(None, source.reader(), context=context)
            if reader is None:
                return ContentCredentials(state=CredentialState.ABSENT)
            with reader:
                return _credentials(json.loads(reader.json()))
    except c2pa.C2paError.RemoteManifest:
        return ContentCredentials(state=CredentialState.REMOTE)
    except (c2pa.C2paError.NotSupported, c2pa.C2paError.ManifestNotFound):
        return ContentCredentials(state=CredentialState.ABSENT)
    except (c2pa.C2paError, ValueError, KeyError, TypeError) as e:
        if _is_no_container(e):
            return ContentCredentials(state=CredentialState.ABSENT)
        return ContentCredentials(state=CredentialState.UNREADABLE, problems=(str(e)[:200],))


def _settings(trust_anchors: str | None) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "verify": {"verify_trust": True, "ocsp_fetch": False, "remote_manifest_fetch": False},
        "core": {"allowed_network_hosts": []},
    }
    if trust_anchors is not None:
        settings["trust"] = {"trust_anchors": trust_anchors}
    return settings


def _is_no_container(error: Exception) -> bool:
    return "type is unsupported" in str(error)


def _credentials(store: dict[str, Any]) -> ContentCredentials:
    manifests = store.get("manifests") or {}
    active = manifests.get(store.get("active_manifest") or "") or {}
    problems = _problems(store)
    signature = active.get("signature_info") or {}
    actions = tuple(_actions(active))
    ingredients = tuple(_ingredients(active, manifests))
    return ContentCredentials(
        state=_state(store.get("validation_state"), problems),
        signer=_text(signature.get("issuer") or signature.get("common_name")),
        signed_at=_text(signature.get("time")),
        claim_generator=_generator(active),
        title=_text(active.get("title")),
        actions=actions[:_MOST_TOLD],
        ingredients=ingredients[:_MOST_TOLD],
        made_by_model=_names_model(actions) or any(i.made_by_model for i in ingredients),
        problems=problems[:_MOST_TOLD],
    )


def _state(validation_state: str | None, problems: tuple[str, ...]) -> CredentialState:
    if any(code.startswith(_BROKEN) for code in problems):
        return CredentialState.TAMPERED
    if any(code != _UNTRUSTED for code in problems) or validation_state == "Invalid":
        return CredentialState.INVALID
    if validation_state == "Trusted":
        return CredentialState.TRUSTED
    return CredentialState.UNTRUSTED


def _problems(store: dict[str, Any]) -> tuple[str, ...]:
    results = store.get("validation_results") or {}
    failures = (results.get("activeManifest") or {}).get("failure") or []
    failures = [*failures]
    for delta in results.get("ingredientDeltas") or []:
        failures += (delta.get("validationDeltas") or {}).get("failure") or []
    codes = [str(failure.get("code", "unknown")) for failure in failures]
    return tuple(dict.fromkeys(codes))


def _actions(manifest: dict[str, Any]) -> Iterable[ClaimedAction]:
    for assertion in manifest.get("assertions") or []:
        if not str(assertion.get("label", "")).startswith("c2pa.actions"):
            continue
        data = assertion.get("data") or {}
        for action in data.get("actions") or []:
            agent = action.get("softwareAgent")
            agent = agent.get("name") if isinstance(agent, dict) else agent
            kind = action.get("digitalSourceType")
            yield ClaimedAction(
                action=str(action.get("action", "unknown")),
                source_type=str(kind).rsplit("/", 1)[-1] if kind else None,
                software=_text(agent),
                when=_text(action.get("when")),
            )


def _ingredients(
    manifest: dict[str, Any], manifests: dict[str, Any]
) -> Iterable[ClaimedIngredient]:
    for ingredient in manifest.get("ingredients") or []:
        own = manifests.get(ingredient.get("active_manifest") or "") or {}
        yield ClaimedIngredient(
            title=_text(ingredient.get("title")) or "without a title",
            relationship=_text(ingredient.get("relationship")),
            made_by_model=_names_model(_actions(own)),
        )


def _names_model(actions: Iterable[ClaimedAction]) -> bool:
    return any(action.source_type in _MODEL_SOURCES for action in actions)


def _generator(manifest: dict[str, Any]) -> str | None:
    for info in manifest.get("claim_generator_info") or []:
        if isinstance(info, dict) and info.get("name"):
            version = info.get("version")
            return f"{info['name']} {version}" if version else str(info["name"])
    return _text(manifest.get("claim_generator"))


def _text(value: object) -> str | None:
    return str(value)[:500] if value else None
