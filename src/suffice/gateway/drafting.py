"""Draft and verify: a cheap model answers, a strong one approves the answer or repairs it with a small edit, and the client gets that.

Whether and by whom is decided in `decision/draft.py`, and only where the operator or the client allows it; here it is carried out.
Invariants: nobody has seen anything of the draft; words of the reviewer are never given but inside a repair that the gates
accept; a review that fails costs its price and nothing else: the request goes on as the plan would have gone.
"""

from __future__ import annotations

import logging

import msgspec

from suffice.decision.attempt_price import rates_of
from suffice.decision.core import STATIC, Core
from suffice.decision.draft import pair_of
from suffice.decision.virtual import Rule
from suffice.errors import BudgetError, LedgerError, RequestError
from suffice.gateway.attempts import AttemptFailed, Attempts
from suffice.gateway.conversation import Whole
from suffice.gateway.evidence import review_of
from suffice.gateway.judging import Judging
from suffice.gateway.live import Live, Route
from suffice.gateway.routes import RouteTable
from suffice.gateway.turn import APPROVED, REPAIRED, Drafted, Turn
from suffice.ledger.records import REVIEWED
from suffice.upstream.faults import Fault
from suffice.values.money import format_usd
from suffice.values.plan import Arm
from suffice.values.verdict import Verdict
from suffice.verify.revise import revised
from suffice.wire.text_swap import DIALECTS, swapped

log = logging.getLogger("suffice.decision")

HEADER = "x-suffice-draft"
# Fields after which an answer is not one plain text, or the reviewer's own reply would be shaped or cut by the client's wish.
_SHAPED = (
    "stop",
    "stop_sequences",
    "n",
    "logprobs",
    "modalities",
    "audio",
    "prediction",
    "response_format",
    "tools",
    "functions",
    "web_search_options",
)
_SHAPED_GEMINI = (b"stopSequences", b"stop_sequences", b"candidateCount", b"candidate_count", b"responseLogprobs")


def wanted(asked: str, configured: bool) -> bool:
    """Return whether drafts are allowed: the header `on` or `off`, else the configuration. Raises RequestError (400) for another word."""
    word = asked.strip().lower()
    if word not in ("", "on", "off"):
        raise RequestError(f"{HEADER} is {asked[:60]!r}", hint="on or off", param=HEADER)
    return word == "on" if word else configured


class Drafting:
    """Drafts and reviews. A turn's `draft` is the operator's word for requests without the header; no state of a request."""

    def __init__(self, core: Core, attempts: Attempts, routes: RouteTable, judging: Judging) -> None:
        self._core = core
        self._attempts = attempts
        self._routes = routes
        self._judging = judging

    def first(self, turn: Turn) -> Route | None:
        """Return the route of the drafting model, None where the plan goes first. Raises RequestError for a bad header."""
        if not wanted(turn.call.header(HEADER), turn.draft) or not _fits(turn):
            return None
        try:
            pressure = max(turn.pressure, turn.paced)
            pair = pair_of(
                turn.plan, turn.features, self._core, lambda a: rates_of(self._routes.price(turn, a.model)), pressure
            )
            route = self._routes.make(turn, pair.draft) if pair is not None else None
        except BudgetError:
            return None
        except Exception:
            log.exception("no draft could be planned; the plan goes on")
            return None
        if pair is not None:
            turn.drafted = Drafted(draft=pair.draft, review=pair.review)
            why = f"{pair.draft.name} drafts, {pair.review.fresh.name} reviews: expected total {format_usd(pair.total)}"
            why += f", {format_usd(pair.alone)} without a draft"
            turn.plan = msgspec.structs.replace(turn.plan, reason=why)
        return route

    def dropped(self, turn: Turn, failed: Route, fault: Fault) -> Route | None:
        """Return the route of the plan's own first arm after the drafting one has failed; None where recovery has to look on."""
        drafted = turn.drafted
        if drafted is None or drafted.ending or failed.arm != drafted.draft:
            return None
        drafted.ending = f"no draft: {fault.code}"
        return self._own(turn)

    async def reviewed(
        self, turn: Turn, live: Live, whole: Whole, verdicts: tuple[Verdict, ...]
    ) -> Whole | Route | None:
        """Return what follows the draft `whole`: the answer to give, the route of the plan's first arm, or None for what `follow` says.

        None too for an answer that is no draft.
        """
        drafted = turn.drafted
        if drafted is None or drafted.ending or live.route.arm != drafted.draft:
            return None
        rejected = any(v.rejected for v in verdicts)
        if not _plain(turn, whole):
            drafted.ending = "not reviewed: no plain text"
            return self._without(turn, whole, rejected)
        try:
            route = self._routes.make(turn, drafted.review, review_of(verdicts), whole.answer.text)
            review = await self._attempts.open(turn, route)
            said = await self._attempts.whole(review)
        except AttemptFailed as failed:
            drafted.ending = f"review failed: {failed.fault.code}"
            return None if rejected else whole
        except (BudgetError, LedgerError, RequestError) as error:
            drafted.ending = f"not reviewed: {error.code}"
            return None if rejected else whole
        given, drafted.verdicts = await self._revised(turn, whole, said)
        if given is None:
            drafted.ending = "review failed: neither approval nor blocks that apply"
        elif any(v.rejected for v in (drafted.verdicts or verdicts)):
            drafted.ending = "review failed: the gates reject what it leaves"
        else:
            drafted.ending = APPROVED if given is whole else REPAIRED
        review.settle(said.answer, said.usage, outcome=REVIEWED, verdicts=drafted.verdicts, message=drafted.ending)
        review.close()
        return given if drafted.ending in (APPROVED, REPAIRED) else self._without(turn, whole, rejected)

    async def _revised(self, turn: Turn, whole: Whole, said: Whole) -> tuple[Whole | None, tuple[Verdict, ...]]:
        """Return what the review made of the draft, and what the gates say of a text that it has changed."""
        draft, reply = whole.answer, said.answer
        text = revised(draft.text, reply.text) if reply.finish_reason == "stop" and not reply.tool_calls else None
        body = None if text is None else swapped(turn.operation, whole.body, draft.text, text)
        if text is None or body is None:
            return None, ()
        if text == draft.text:
            return whole, ()
        answer = msgspec.structs.replace(draft, text=text)
        judged = await self._judging.judge(turn, answer, self._attempts.left_s(turn))
        return msgspec.structs.replace(whole, body=body, answer=answer), judged

    def _without(self, turn: Turn, whole: Whole, rejected: bool) -> Whole | Route | None:
        """Return what the plan would have given, for a draft that nobody has approved."""
        if rejected:
            return None
        return self._own(turn) or whole

    def _own(self, turn: Turn) -> Route | None:
        first: Arm = turn.plan.first
        if turn.drafted is None or first == turn.drafted.draft:
            return None
        try:
            return self._routes.first(turn)
        except (BudgetError, RequestError):
            return None


def _plain(turn: Turn, whole: Whole) -> bool:
    """True for a finished answer of one text that can be replaced in the client's body."""
    answer = whole.answer
    if answer.finish_reason != "stop" or answer.tool_calls or not answer.text.strip():
        return False
    return swapped(turn.operation, whole.body, answer.text, "") is not None


def _fits(turn: Turn) -> bool:
    """True where a draft can be reviewed: a whole text without tools, of our own choice, judged by the static gates and by no check."""
    view, top = turn.view, turn.top
    shaped = any((top.value(name) or b"null").strip() not in (b"null", b"1", b"false") for name in _SHAPED)
    config = top.value("generationConfig") or top.value("generation_config") or b""
    return not (
        view.stream
        or view.tool_names
        or view.tool_result_texts
        or view.structured
        or shaped
        or any(name in config for name in _SHAPED_GEMINI)
        or turn.operation not in DIALECTS
        or turn.target.rule is not Rule.AUTO
        or turn.check
        or turn.gate != STATIC
        or turn.cap < 2
        or view.last_roles[-1:] != ("user",)
    )
