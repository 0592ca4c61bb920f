"""What the two exchanges send, message by message, as their references show it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence

from tests.streaming.calls import packets

SESSION = "e160e428-53e2-487c-977d-96989bf5c99d"
CONVERSATION = "090eaa2f-72fa-480a-83e0-8667ff89c0ec"
NO_UUID = "00000000-0000-0000-0000-000000000000"
CALL_SID = "CA0123456789abcdef"
STREAM_SID = "MZ0123456789abcdef"


class TwilioSender:
    """Numbers messages as Twilio does."""

    def __init__(self) -> None:
        self._sequence = 0
        self._chunks: dict[str, int] = {}

    def connected(self) -> str:
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self, tracks: Sequence[str] = ("inbound", "outbound"), **changes) -> str:
        start = {
            "accountSid": "AC0123456789abcdef",
            "streamSid": STREAM_SID,
            "callSid": CALL_SID,
            "tracks": list(tracks),
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        return self._numbered("start", start=start | changes)

    def media(self, track: str, payload: bytes, at_ms: int) -> str:
        self._chunks[track] = self._chunks.get(track, 0) + 1
        media = {
            "track": track,
            "chunk": str(self._chunks[track]),
            "timestamp": str(at_ms),
            "payload": base64.b64encode(payload).decode(),
        }
        return self._numbered("media", media=media)

    def mark(self) -> str:
        return self._numbered("mark", mark={"name": "greeting"})

    def dtmf(self) -> str:
        return self._numbered("dtmf", dtmf={"track": "inbound_track", "digit": "1"})

    def stop(self) -> str:
        stop = {"accountSid": "AC0123456789abcdef", "callSid": CALL_SID}
        return self._numbered("stop", stop=stop)

    def call(self, legs: dict[str, bytes], **changes) -> Iterator[str]:
        """A whole call, its legs in turns of 20 ms."""
        yield self.connected()
        yield self.start(tuple(legs), **changes)
        turns = zip(*(packets(sound) for sound in legs.values()), strict=True)
        for index, turn in enumerate(turns):
            for track, payload in zip(legs, turn, strict=True):
                yield self.media(track, payload, 20 * index)
            if index == 100:
                yield self.dtmf()
                yield self.mark()
        yield self.stop()

    def _numbered(self, event: str, **content) -> str:
        self._sequence += 1
        number = str(self._sequence)
        return json.dumps(
            {"event": event, "sequenceNumber": number, **content, "streamSid": STREAM_SID}
        )


class AudioHookSender:
    """Numbers messages as AudioHook does; keep ``serverseq`` at what the server sent last."""

    def __init__(self) -> None:
        self.seq = self.serverseq = 0
        self.position_s = 0.0

    def message(self, kind: str, parameters: dict | None = None, **changes) -> str:
        self.seq += 1
        message = {
            "version": "2",
            "id": SESSION,
            "type": kind,
            "seq": self.seq,
            "serverseq": self.serverseq,
            "position": f"PT{self.position_s:.3f}S",
            "parameters": parameters or {},
        }
        return json.dumps(message | changes)

    def open(self, conversation: str = CONVERSATION, media: list | None = None) -> str:
        offered = [
            {"type": "audio", "format": "PCMU", "channels": channels, "rate": 8000}
            for channels in (["external", "internal"], ["external"], ["internal"])
        ]
        participant = {
            "id": "883efee8-3d6c-4537-b500-6d7ca4b92fa0",
            "ani": "+1-555-555-1234",
            "aniName": "John Doe",
            "dnis": "+1-800-555-6789",
        }
        parameters = {
            "organizationId": "d7934305-0972-4844-938e-9060eef73d05",
            "conversationId": conversation,
            "participant": participant,
            "media": offered if media is None else media,
        }
        return self.message("open", parameters)

    def close(self) -> str:
        return self.message("close", {"reason": "end"})
