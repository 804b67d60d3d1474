"""Pass-through of answers that fill in: whole events go on as they came, and what matters is read beside them.

For shapes in which nothing is hidden from the client: Mistral's and llama.cpp's (completions have `chat_relay`). Invariant: the
last event of a complete answer is held back until the answer has been found complete, as everywhere.
"""

from __future__ import annotations

from typing import Any

from suffice.errors import SufficeError
from suffice.values.usage import Usage
from suffice.wire import sse
from suffice.wire.chat_relay import Answer
from suffice.wire.codec import Emulation, Target
from suffice.wire.fim_answer import FimDecoder
from suffice.wire.fim_client import FimContext, FimEncoder
from suffice.wire.translate import Pump


class FimRelay:
    """Reader of one upstream stream in the client's own shape; the facts are those of `translate.StreamTranslator`."""

    def __init__(self, context: FimContext, target: Target) -> None:
        self._decoder = FimDecoder(target)
        self._encoder = FimEncoder(context)  # for the words of ours: keep-alive and errors
        self._infill = context.request.shape == "infill"
        self._pump = Pump(Emulation(), context.response_id)
        self._whole = sse.WholeEvents()
        self.started = False
        self.data_events = 0

    def feed(self, chunk: bytes) -> bytes:
        """Return the complete events of `chunk` and what was left before it. Raises WireError."""
        data = self._whole.feed(chunk)
        return self._read(data) if data else b""

    def close(self) -> bytes:
        """Return what a stream that ended without a blank line left behind, completed."""
        data = self._whole.close()
        out = self._read(data) if data else b""
        self._pump.push(self._decoder.close())
        return out

    def _read(self, data: bytes) -> bytes:
        events = self._decoder.feed(data)
        if events:
            self.started = True
            self.data_events += len(events)
        self._pump.push(events)
        if self._infill and self._decoder.stopped:
            # There is no terminator in this shape: `stop: true` is the end.
            self._pump.push(self._decoder.close())
        return b"" if self._pump.failure is not None else data

    @property
    def quiet(self) -> bool:
        """True while nothing has been written that a user can see."""
        return False

    @property
    def done(self) -> bool:
        """True once the provider said that the answer is complete."""
        return self._pump.done

    finished = done

    @property
    def failure(self) -> Any:
        """The provider's error object, or None."""
        failed = self._pump.failure
        return None if failed is None else (failed.value or {"message": failed.message, "code": failed.code})

    @property
    def finish_reason(self) -> str:
        """The stop in OpenAI's word, "" before it came."""
        return self._pump.finish_reason

    def keep_alive(self) -> bytes:
        """Return bytes that keep the client waiting."""
        return self._encoder.keep_alive()

    def fail(self, error: SufficeError) -> bytes:
        """Return the bytes that end a broken stream honestly."""
        return self._encoder.fail(error)

    def usage(self) -> Usage | None:
        """Return the provider's usage report, if it came."""
        return self._pump.usage()

    def answer(self) -> Answer:
        """Return the whole answer as far as it was kept."""
        return self._pump.answer()
