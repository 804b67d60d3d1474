"""What one configuration makes: settings, fleet, and a router for each thing that a client may name.

Swapped whole, by one assignment, when the configuration or the hour's prices change. `auto` chooses among a pool that is small
enough to be scored on every request; a pinned model is served from the whole fleet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from suffice.config.schema import Settings
from suffice.decision import gates
from suffice.decision.core import CHECKS, Core
from suffice.decision.fallback import Ranked
from suffice.decision.grid import Floats
from suffice.decision.guarantee import told
from suffice.decision.policy import DataClass
from suffice.decision.priors import PriorTable
from suffice.decision.router import Offer, Router
from suffice.decision.virtual import Target
from suffice.gateway.fleet import Fleet, Served
from suffice.gateway.speech import CONVERSATIONS
from suffice.values.money import Estimated, Known, nano
from suffice.values.plan import Arm
from suffice.values.task import TASK_TYPES, TaskType
from suffice.wire.prescan import ScanLimits

POOL = 16
# A model below this window cannot hold an agent's conversation; it is not chosen, only pinned.
MIN_WINDOW_TOKENS = 16_000
MAX_ROUTERS = 512


class State:
    """Settings, fleet and routers at one moment; `now_s` is the wall clock that prices are taken at."""

    def __init__(self, settings: Settings, fleet: Fleet, priors: PriorTable, core: Core, now_s: float) -> None:
        self.settings = settings
        self.fleet = fleet
        self.models = frozenset(fleet.by_model)
        self.limits = ScanLimits(max_body_bytes=settings.server.max_body_bytes)
        privacy = settings.privacy
        self.data = DataClass(
            name="configured",
            regions=frozenset(privacy.allowed_regions),
            max_retention_days=privacy.max_retention_days,
            forbid_training=privacy.forbid_training,
        )
        # What a repair costs by task: the settings hold decimals, whose arithmetic is dear.
        self.repair = {task: nano(settings.routing.repair_usd.usd(task.value)) for task in TASK_TYPES}
        self._priors = priors
        self.core = core
        core.under(fleet.catalog.version)
        self._now_s = now_s
        self.pool = tuple(self._pool())
        # What `auto` chooses among at a cursor: models made for it; none at all leaves it to the pool.
        self.filling = tuple(dict.fromkeys(row.model.id for row in self._filling()))
        self._auto = Router([self._offer(row) for row in self.pool], priors, core)
        self._routers: dict[str, Router] = {}
        self._serving: dict[tuple[str, str], tuple[tuple[Arm, ...], dict[Arm, str]]] = {}
        self.default = self._default()
        # The same fleet under the changed policy of a rollout.
        self.candidate: State | None = None

    def router(self, target: Target) -> Router:
        """Return the router for what a client named."""
        if target.models is None:
            return self._auto
        router = self._routers.get(target.name)
        if router is None:
            rows = [row for model in target.models for row in self.fleet.by_model.get(model, ())]
            router = Router([self._offer(row) for row in rows], self._priors, self.core)
            if len(self._routers) < MAX_ROUTERS:
                self._routers[target.name] = router
        return router

    def harder(self, weights: Floats | None, model: str, cell: int, repo: str) -> Floats:
        """Return the difficulty of a session's task after tests have shown that `model` did not solve it."""
        return self.core.rejected(weights, model, cell, CHECKS["related"], repo)

    def candidates(self, target: Target) -> Iterable[Arm]:
        """Return the arms that could serve `target`."""
        if target.models is None:
            return [row.arm for row in self.pool]
        return [row.arm for model in target.models for row in self.fleet.by_model.get(model, ())]

    def serving(self, target: Target, operation: str) -> tuple[tuple[Arm, ...], Mapping[Arm, str]]:
        """Return the arms that serve `operation` as `target`, and the others with the reason."""
        known = self._serving.get((target.name, operation))
        if known is None:
            arms = tuple(self.candidates(target))
            other: dict[Arm, str] = {}
            # What `auto` chooses among serves all conversations.
            if target.models is not None or operation not in CONVERSATIONS:
                why = f"operation: does not serve {operation}"
                other = {arm: why for arm in arms if operation not in self.fleet.by_arm[arm].speech}
            if operation == "fim":
                other |= self._in_words([arm for arm in arms if arm not in other])
            known = (tuple(arm for arm in arms if arm not in other), other)
            if len(self._serving) < MAX_ROUTERS:
                self._serving[target.name, operation] = known
        return known

    def _in_words(self, arms: list[Arm]) -> dict[Arm, str]:
        """Return those that could only be asked in words, when another of them was made to fill in."""
        asked = [arm for arm in arms if self.fleet.by_arm[arm].speech["fim"].dialect != "fim"]
        return dict.fromkeys(asked, "operation: fills in by chat only") if len(asked) < len(arms) else {}

    @property
    def certificates(self) -> tuple[str, ...]:
        """What the guarantee certificates promise at the time of this state, one line each; one line when there is none."""
        snapshot = self.core.holder.current
        return told(snapshot.certificates, self._now_s, snapshot.catalog)

    @property
    def checks(self) -> tuple[str, ...]:
        """What reports have taught of the checks, one line for each check, cell and model family."""
        return gates.told(self.core.holder.current.gates)

    def ranked(self, target: Target) -> tuple[Ranked, ...]:
        """Return the arms that could serve `target`, by prior and price alone: what the fallback ladder orders."""
        out = []
        for arm in self.candidates(target):
            row = self.fleet.by_arm[arm]
            price = self.fleet.catalog.price(row.model.id, self._now_s)
            known = isinstance(price, Known | Estimated)
            rates = price.rates if isinstance(price, Known | Estimated) else None
            output = rates.output / 1e6 if rates is not None else None
            prior = self._priors.lookup(row.model.id, TaskType.EDIT, output_usd_per_mtok=output)
            cost = float(rates.output + 3 * rates.input) if rates is not None else math.inf
            facts = msgspec.structs.replace(row.facts, price_known=known)
            out.append(Ranked(facts=facts, p=prior.p, price=cost))
        return tuple(out)

    def _offer(self, row: Served) -> Offer:
        return Offer(facts=row.facts, price=self.fleet.catalog.price(row.model.id, self._now_s))

    def _default(self) -> Arm | None:
        name = self.settings.routing.default_model or self.fleet.reference
        rows = self.fleet.find(name) if name else self.pool
        return rows[0].arm if rows else None

    def _pool(self) -> Iterable[Served]:
        """The operator's own choice of models where there is one, and of the rest the best for their price."""
        chosen, open_rows = [], []
        for row in self.fleet.served:
            section = self.settings.endpoints[row.arm.endpoint]
            if row.model.kind != "chat" or "chat" not in row.speech:
                continue
            if section.models:
                chosen.append(row)
            elif self._eligible(row):
                open_rows.append(row)
        yield from chosen
        seen = {row.model.id for row in chosen}
        room = max(0, POOL - len(chosen))
        for row in self._frontier(open_rows)[:room]:
            if row.model.id not in seen:
                seen.add(row.model.id)
                yield row

    def _filling(self) -> Iterable[Served]:
        able = [row for row in self.fleet.served if row.provider.fim is not None and "fim" in row.speech]
        rows = [row for row in able if row.speech["fim"].dialect == "fim"]
        chosen = [row for row in rows if self.settings.endpoints[row.arm.endpoint].models]
        priced = [row for row in rows if not row.facts.deprecated and self._priced(row.model.id)]
        return (*chosen, *self._frontier([r for r in priced if r not in chosen], TaskType.COMPLETE))[:POOL]

    def _priced(self, model: str) -> bool:
        return isinstance(self.fleet.catalog.price(model, self._now_s), Known | Estimated)

    def _eligible(self, row: Served) -> bool:
        model = row.model
        window = model.context_window
        if row.facts.deprecated or model.has("tools") is False or (window and window < MIN_WINDOW_TOKENS):
            return False
        return self._priced(model.id)

    def _frontier(self, rows: list[Served], task: TaskType = TaskType.EDIT) -> list[Served]:
        """Models that no other beats in both prior success and price, most capable first, then the nearest to it."""
        scored = []
        for row in rows:
            price = self.fleet.catalog.price(row.model.id, self._now_s)
            if not isinstance(price, Known | Estimated):
                continue
            prior = self._priors.lookup(row.model.id, task, output_usd_per_mtok=price.rates.output / 1e6)
            scored.append((prior.declared, -prior.p, price.rates.output + 3 * price.rates.input, row.model.id, row))
        scored.sort(key=lambda s: s[:4])
        front, rest, cheapest = [], [], None
        for _, _, cost, _, row in scored:
            if cheapest is None or cost < cheapest:
                cheapest = cost
                front.append(row)
            else:
                rest.append(row)
        return front + rest
