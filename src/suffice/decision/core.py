"""The learned core behind the router: what is believed of every model, the plan it leads to, and what verdicts teach.

Joins the rooms of docs/decision-core.md for the gateway: models enter with their prior (`priors.py`), successes come from
the skill posterior, the plan from optimal stopping, and every verdict with evidence updates both the session and the
posterior. One writer, many readers: a decision takes the snapshot once. It reads no clock; times come in as arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from suffice.decision import certifying, gates, hindsight, joint, learning, sequel, skill, spend
from suffice.decision import cost as cost_model
from suffice.decision.belief import After, Belief, Check, Shown
from suffice.decision.calibration import Tracked, tracked
from suffice.decision.grid import Floats, logit, observe
from suffice.decision.outlook import Outlook, outlook
from suffice.decision.plan import ESCAPE_FACTOR, Solution, along, solve_flat, told_again
from suffice.decision.priors import PriorTable, parse_name
from suffice.decision.sequel import Ending
from suffice.decision.snapshot import Holder, Snapshot
from suffice.values.task import TASK_INDEX, TASK_TYPES, TaskType

# Languages with a column of their own; the others share one.
LANGUAGES = ("python", "javascript", "typescript", "java", "go", "rust", "cpp", "")
CELLS = tuple(f"{task.value}/{language or 'other'}" for task in TASK_TYPES for language in LANGUAGES)
# A check that judges code by running it, and the gates that only read it.
STATIC = "complete"
CHECKS = {"related": "check:related-tests", "full": "check:ci", "decides": "check:decides", "lint": "parses"}
# Inside one held request nobody sees an escalation: its margin, a share of H, only covers errors of the estimates.
HELD_MARGIN = 0.01
# Tables of plans that are kept; with eight arms each has some ten kilobytes.
MAX_OUTLOOKS = 256
NANO = 1e-9
# Before this many bills of a model in a cell its output lengths are no evidence.
FEWEST_BILLS = 20


_NOBODY = Check(tpr=1.0, fpr=1.0, rho=0.0)


def cell_of(task: TaskType, language: str) -> int:
    """Return the cell of a task type and a language."""
    row = TASK_INDEX[task] * len(LANGUAGES)
    return row + (LANGUAGES.index(language) if language in LANGUAGES else len(LANGUAGES) - 1)


class Core:
    """The beliefs of one gateway. `holder` keeps the snapshot; a restored one may come in."""

    def __init__(self, priors: PriorTable, snapshot: Snapshot | None = None) -> None:
        self._priors = priors
        self.holder = Holder(snapshot if snapshot is not None else _empty())
        # What is believed of a gate in a cell, and the posterior that says so: it holds until a verdict teaches.
        self._checks: dict[tuple[str, int, tuple[str, ...]], tuple[gates.GatePosterior, Check]] = {}
        self._outlooks: dict[tuple[int, tuple[int, ...], int, str, str], tuple[Belief, Check, Outlook]] = {}
        self._rows: dict[str, int] = {arm: at for at, arm in enumerate(self.holder.current.skill.arms)}

    @property
    def version(self) -> int:
        """Counts up with everything learned."""
        return self.holder.current.skill.version

    def know(self, model: str, output_usd_per_mtok: float | None) -> int:
        """Return the row of `model`, entered with its prior when it is new."""
        row = self._rows.get(model)
        if row is not None:
            return row
        base = self._priors.lookup(model, TaskType.EDIT, output_usd_per_mtok=output_usd_per_mtok)
        snapshot = self.holder.current
        # The mean over difficulties is nearer to one half than the success on the average task: undo that (probit trick), so
        # that the model enters with just the success that its prior says.
        variance = skill.SPREAD**2 + 1.0 + base.sd**2 + skill.CELL_VAR
        stretch = float(np.sqrt(1.0 + np.pi * variance / 8.0))
        post = skill.add_arm(snapshot.skill, model, ability=stretch * float(logit(base.p)), sd=base.sd)
        row = len(post.arms) - 1
        effect = post.cell_effect.copy()
        for task in TASK_TYPES:
            prior = self._priors.lookup(model, task, output_usd_per_mtok=output_usd_per_mtok)
            start = TASK_TYPES.index(task) * len(LANGUAGES)
            effect[row, start : start + len(LANGUAGES)] = stretch * float(logit(prior.p) - logit(base.p))
        post = replace(post, cell_effect=effect)
        self.holder.swap(replace(snapshot, skill=post))
        self._rows[model] = row
        return row

    def believe(self, rows: Sequence[int], cell: int, weights: Floats | None, repo: str = "") -> Belief:
        """Return the success of the models in `rows`; `weights` is the session's posterior of the task's difficulty.

        `repo` is the repository, where it is known. Predictions are those of the calibration in force.
        """
        post = self.holder.current.skill
        if weights is None:
            weights = skill.difficulty_prior(post, cell, repo)
        said = skill.predict(post, cell, weights, np.array(rows, dtype=np.intp))
        known = self._calibration(cell)
        if known is not None and known.in_force is not None:
            said = skill.mapped(said, weights, known.in_force)
        arms, bills = [post.arms[row] for row in rows], self.holder.current.cost
        length = cost_model.length_by_difficulty(bills, arms, said.grid, weights)
        families = tuple([parse_name(arm).family for arm in arms])
        return Belief(
            grid=said.grid, length=length, weights=weights, mean=said.mean, low=said.low, cell=cell, families=families,
            repo=repo,
        )  # fmt: skip

    def _calibration(self, cell: int) -> Tracked | None:
        task = TASK_TYPES[cell // len(LANGUAGES)].value
        return next((one for name, one in self.holder.current.calibration if name == task), None)

    def account(self, cell: int, repo: str) -> tuple[tuple[str, float], ...]:
        """Return what moves the predictions of a task beside its models: the repository's difficulty in logits, and the map in force."""
        post, known = self.holder.current.skill, self._calibration(cell)
        out: list[tuple[str, float]] = []
        if repo in post.repos:
            out.append(("difficulty of this repository", float(post.repo_effect[post.repos.index(repo)])))
        if known is not None and known.in_force is not None:
            out += (("calibration: slope", known.slope), ("calibration: offset", known.offset))
        return tuple(out)

    def plan(
        self,
        belief: Belief,
        rows: tuple[int, ...],
        cost_usd: Sequence[float],
        repair_usd: float,
        *,
        gate: str,
        attempts: int,
        again_usd: Floats | None = None,
        output_usd: Sequence[float] | None = None,
    ) -> Solution:
        """Return the optimal plan over the models in `rows` of `belief`, with costs [K]; `gate` names what will judge the answers.

        `output_usd` [K] is the part of the costs that goes with the length of the answer: longer on the hard tasks that are left after
        a rejection. `again_usd` [K]: the cost of asking a model once more after its rejection; None where that is not done. What a gate
        that only reads finds is a defect of form: mended, the answer is as good as a fresh one. Raises DecisionError for costs
        or probabilities that are not finite.
        """
        check = self._check(gate, belief, rows) if gate else _NOBODY
        factor = ESCAPE_FACTOR if gate else 1.0
        again_usd = again_usd if gate else None
        told = "" if again_usd is None else "of form" if gate in (STATIC, CHECKS["lint"]) else "of tests"
        known = self._outlook(belief, rows, check, attempts if gate else 1, factor, told)
        return solve_flat(
            known, cost_usd, repair_usd=repair_usd, escape_factor=factor, margin=HELD_MARGIN, again_cost=again_usd,
            growing=output_usd,
        )  # fmt: skip

    def completes(self, belief: Belief, rows: tuple[int, ...], *, gate: str) -> float:
        """Return the probability that trying the models in `rows` in this order, until `gate` accepts one, ends with a right answer."""
        known = self._outlook(belief, rows, self._check(gate, belief, rows), len(rows), ESCAPE_FACTOR, "")
        accepted, escaped = along(known, range(len(rows)))
        return accepted - escaped

    def _outlook(
        self, belief: Belief, rows: tuple[int, ...], check: Check, attempts: int, factor: float, told: str
    ) -> Outlook:
        """Return what prices do not change of a plan; it holds as long as the belief and what is known of the gate do.

        `told`: of what kind of defect a retry learns, empty where nothing is asked again.
        """
        key = (belief.cell, rows, attempts, told, belief.repo)
        kept = self._outlooks.get(key)
        if kept is not None and kept[0] is belief and kept[1] is check:
            return kept[2]
        grid = belief.grid[list(rows)]
        length = belief.length[list(rows)]
        support = joint.planning(
            grid, length, belief.weights, tpr=check.tpr, fpr=check.fpr, rho=check.rho, own=check.own
        )
        tpr, fpr = (np.broadcast_to(rate, support.p.shape) for rate in (support.tpr, support.fpr))
        again = None if not told else support.p if told == "of form" else np.maximum(told_again(support.p), support.p)
        known = outlook(
            support.p, tpr, fpr, support.weights, attempts=attempts, escape_factor=factor, again=again, growth=support.cost
        )  # fmt: skip
        if len(self._outlooks) >= MAX_OUTLOOKS:
            self._outlooks.clear()
        self._outlooks[key] = (belief, check, known)
        return known

    def after(
        self, belief: Belief, cost_usd: Floats, repair_usd: float, *, gate: str, tried: Sequence[Shown], attempts: int,
        output_usd: Floats | None = None,
    ) -> After:  # fmt: skip
        """Return what to do after `tried` (at least one), with up to `attempts` (>= 1) more arms.

        `cost_usd`, `output_usd` [K] as in `plan`. Exact over the verdicts to come; the verdicts and the spend of what was tried are
        taken into account. Raises DecisionError for numbers that are not finite.
        """
        check = self._check(gate, belief, range(len(belief.families)))
        support = joint.joint(
            belief.grid, _by_difficulty(belief, cost_usd, output_usd), belief.weights,
            tpr=check.tpr, fpr=check.fpr, rho=check.rho, own=check.own,
        )  # fmt: skip
        known = sequel.start(support)
        states = support.weights.shape[0] // support.points
        for one in tried:
            spend = self._spend(one.model, belief, one.arm, one.output_tokens)
            right, wrong = (np.tile(x, states)[None] for x in spend)
            known = sequel.observe(support, known, np.array([one.arm]), np.array([one.accepted]), right, wrong)
        ahead = sequel.look_ahead(support, known, Ending(accepting=gate == STATIC), attempts)
        arm, value = sequel.choose(ahead, repair_usd, margin=HELD_MARGIN)
        mass = max(float(known.weights.sum()), 1e-300)
        return After(
            arm=int(arm[0]), continue_usd=float(value[0]) / mass, stop_usd=repair_usd * float(ahead.stop[0]) / mass,
            p_right=tuple(sequel.p_right(known)[0].tolist()),
        )  # fmt: skip

    def _spend(self, model: str, belief: Belief, arm: int, output_tokens: int) -> tuple[Floats, Floats]:
        """Return (P(output length | right), P(output length | wrong)) [33]: one everywhere while too few bills are known."""
        bills = self.holder.current.cost
        at = bills.arms.index(model) if model in bills.arms else -1
        nothing = np.ones(belief.weights.shape)
        if output_tokens <= 0 or at < 0 or bills.count[at, belief.cell] < FEWEST_BILLS:
            return nothing, nothing
        return spend.likelihood(
            float(np.log(output_tokens)),
            mean=float(bills.tokens[at, belief.cell]),
            sd=float(np.sqrt(bills.tokens_var[at, belief.cell])),
            wrong=float(np.log(bills.fail_factor[at])),
            p_wrong=1.0 - float(belief.mean[arm]),
            slope=float(bills.slope[at]),
        )

    def _check(self, gate: str, belief: Belief, rows: Sequence[int]) -> Check:
        """Return what is believed of a gate that judges the models in `rows` of `belief`; the same object until a verdict teaches."""
        post = self.holder.current.gates
        families = tuple([belief.families[row] for row in rows]) if post.counts else ()
        key = (gate, belief.cell, families)
        known = self._checks.get(key)
        if known is not None and known[0] is post:
            return known[1]
        cell = CELLS[belief.cell]
        rates, own = gates.rates(post, gate, cell), None
        if any((gate, cell, family) in post.counts for family in families):
            each = {family: gates.rates(post, gate, cell, family) for family in set(families)}
            own = (np.array([each[f].tpr for f in families]), np.array([each[f].fpr for f in families]))
        found = Check(tpr=rates.tpr, fpr=rates.fpr, rho=gates.correlation(post, gate, cell), own=own)
        if len(self._checks) >= MAX_OUTLOOKS:
            self._checks.clear()
        self._checks[key] = (post, found)
        return found

    def rejected(self, weights: Floats | None, model: str, cell: int, gate: str, repo: str = "") -> Floats:
        """Return a task's difficulty after an answer of `model` was rejected by `gate`: hard tasks fail more."""
        post = self.holder.current
        row = self._rows.get(model)
        if weights is None:
            weights = skill.difficulty_prior(post.skill, cell, repo)
        if row is None:
            return weights
        p = skill.predict(post.skill, cell, weights, np.array([row])).grid[0]
        rate = gates.rates(post.gates, gate, CELLS[cell], parse_name(model).family)
        return observe(weights, 1.0 - (rate.tpr * p + rate.fpr * (1.0 - p)))

    def learn(
        self,
        *,
        label_id: str,
        model: str,
        cell: int,
        success: bool,
        reliability: float,
        at_s: float,
        weights: Floats | None = None,
        repo: str = "",
        calibrates: bool = False,
    ) -> str:
        """Learn from what became of one attempt; returns a note: empty, `repeated`, `unknown-arm` or `drift:<model>`.

        `weights` is the task's difficulty as its *other* verdicts show it. A label counts once, whenever it comes. `calibrates`: labels
        of this kind come for right answers as well as for wrong ones, so that predictions may be held against them.
        """
        snapshot = self.holder.current
        post = skill.add_repo(snapshot.skill, repo) if model in self._rows else snapshot.skill
        label = learning.Label(
            label_id=label_id,
            arm=model,
            cell=cell,
            success=success,
            reliability=reliability,
            at_s=at_s,
            weights=weights,
            repo=repo,
        )
        learned = learning.learn(post, label)
        calibration = snapshot.calibration
        if calibrates and learned.note not in ("repeated", "unknown-arm"):
            task = TASK_TYPES[cell // len(LANGUAGES)].value
            known = dict(calibration)
            p = min(1.0 - 1e-6, max(1e-6, float(success) - learned.residual))
            known[task] = tracked(known.get(task, Tracked()), p, success, reliability)
            calibration = tuple(known.items())
        self.holder.swap(replace(snapshot, skill=learned.posterior, calibration=calibration))
        return learned.note

    def under(self, catalog: str) -> None:
        """Name the catalogue that decisions are made under; certificates of another one are not in force."""
        if self.holder.current.catalog != catalog:
            self.holder.swap(replace(self.holder.current, catalog=catalog))

    def heard(self, *, task: TaskType, wrong: bool, at_s: float) -> str:
        """Learn for the guarantee that an answer which was given turned out right or wrong; returns the certifier's note."""
        snapshot = self.holder.current
        known, gathered = {one.family: one for one in snapshot.certificates}, dict(snapshot.gathered)
        found, waiting, note = certifying.heard(
            known, gathered, task.value, wrong=wrong, now_s=at_s, catalog=snapshot.catalog
        )
        gathered[task.value] = waiting
        if found is not None:
            known[task.value] = found
        kept = tuple((family, losses) for family, losses in gathered.items() if losses)
        self.holder.swap(replace(snapshot, certificates=tuple(known.values()), gathered=kept))
        return note

    def checked(
        self, *, gate: str, cell: int, judged: Sequence[tuple[int, str, bool]], given: int, right: bool, reliability: float
    ) -> None:  # fmt: skip
        """Learn of the check `gate` that the answer of attempt `given` turned out right or wrong.

        `judged`: attempt number, model and whether the check accepted its answer, of every attempt of the request.
        """
        snapshot = self.holder.current
        known = [one for one in judged if one[1] in self._rows]
        if not gate.startswith("check:") or not known:
            return
        said = self.believe([self._rows[model] for _, model, _ in known], cell, None)
        seen = [
            hindsight.Judged(attempt=number, p=p, accepted=accepted, family=family)
            for (number, _, accepted), p, family in zip(known, said.mean.tolist(), said.families, strict=True)
        ]
        post = hindsight.learn(
            snapshot.gates, gate=gate, cell=CELLS[cell], judged=seen, given=given, right=right, reliability=reliability
        )
        self.holder.swap(replace(snapshot, gates=post))

    def bill(self, *, model: str, cell: int, output_tokens: int, success: bool | None = None) -> None:
        """Learn the length of one answer from its bill; zero and negative lengths teach nothing.

        With its verdict `success` it also teaches how much longer answers are that fail.
        """
        snapshot = self.holder.current
        bills = snapshot.cost if model in snapshot.cost.arms else cost_model.add_arm(snapshot.cost, model)
        row = self._rows.get(model)
        surprise = 0.0
        if success is not None and row is not None:
            surprise = float(self.believe((row,), cell, None).mean[0]) - float(success)
        bills = cost_model.learn(
            bills, arm=model, cell=cell, output_tokens=float(output_tokens), steps=1.0, failed_surprise=surprise
        )
        self.holder.swap(replace(snapshot, cost=bills))

    def output_tokens(self, model: str, cell: int) -> float | None:
        """Return the expected output tokens of `model` in `cell` once bills have shown some, else None."""
        bills = self.holder.current.cost
        if model not in bills.arms:
            return None
        at = bills.arms.index(model)
        if bills.count[at, cell] < 3.0:
            return None
        return float(np.exp(bills.tokens[at, cell] + 0.5 * min(bills.tokens_var[at, cell], 2.0)))


def _by_difficulty(belief: Belief, cost_usd: Floats, output_usd: Floats | None) -> Floats:
    """Return dollars per attempt [K, 33]: what goes with the answer's length is dearer on hard tasks."""
    if output_usd is None:
        return np.repeat(cost_usd[:, None], belief.weights.shape[0], axis=1)
    return np.asarray(np.maximum(cost_usd[:, None] + output_usd[:, None] * (belief.length - 1.0), 0.0))


def _empty() -> Snapshot:
    # The skill model needs one arm to exist; the placeholder is never offered.
    post = skill.fresh(("-",), CELLS)
    return Snapshot(skill=post, cost=cost_model.fresh(("-",), len(CELLS)))
