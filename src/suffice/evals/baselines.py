"""The policies to beat, each as strong as the training part allows.

Always-best and cheapest single, random mix, family lookup, prompt-text router, cost/p ordering and the tuned fixed
cascade, which is searched by
brute force over all sequences of up to three arms with both endings (return the last answer, or hand over to the
human). All are evaluated
exactly in expectation over the verifier's errors, like ours.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from suffice.decision.grid import Floats, Ints
from suffice.evals.walk import Verifier

HASH_BUCKETS = 1024
RIDGE_TEXT, RIDGE_FAMILY = 60.0, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a policy does on n tasks, in expectation: dollars, probability right, loss as a share of H, each [n]."""

    cost: Floats
    right: Floats
    loss: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeTable:
    """Means over training tasks of all sequences: arms [M, 3] (−1 pads), cost, right (last returned), loss by ending
    [M, 2]."""

    arms: Ints
    cost: Floats
    right: Floats
    loss: Floats


def run_sequence(
    sequence: list[int], right: Floats, cost: Floats, verifier: Verifier, escape: float, *, hand_over: bool
) -> Judged:
    """Return what a fixed cascade does on tasks [n, A]: stop at the first acceptance; at the end hand over or return
    the last."""
    n = right.shape[0]
    out = [np.zeros(n) for _ in range(3)]
    for weight, t, f in zip(*verifier.states, strict=True):
        reach = np.full(n, weight)
        for step, arm in enumerate(sequence):
            y = right[:, arm]
            out[0] += reach * cost[:, arm]
            taken = np.where(y > 0.5, t, f)
            if step == len(sequence) - 1 and not hand_over:
                taken = np.ones(n)
            out[1] += reach * taken * y
            out[2] += reach * taken * escape * (1 - y)
            reach = reach * (1 - taken)
        out[2] += reach
        if hand_over:
            out[1] += reach * right[:, sequence[-1]]
    return Judged(cost=out[0], right=out[1], loss=out[2])


def cascade_table(right: Floats, cost: Floats, verifier: Verifier, escape: float) -> CascadeTable:
    """Return every sequence of one to three distinct arms with its training means; linear algebra, A = 25 takes a moment."""
    n, a = right.shape
    one = np.arange(a)
    pairs = np.array([(i, j) for i in one for j in one if i != j], dtype=np.int64).reshape(-1, 2)
    blocks = [np.column_stack([one, np.full((a, 2), -1)])]
    if a > 1:
        blocks.append(np.column_stack([pairs, np.full(len(pairs), -1)]))
    if a > 2:
        triples = np.column_stack([np.repeat(pairs, a, axis=0), np.tile(one, len(pairs))])
        blocks.append(triples)
    sums = [np.zeros((4, len(b))) for b in blocks]
    for weight, t, f in zip(*verifier.states, strict=True):
        taken = np.where(right > 0.5, t, f)
        good, bad = taken * right, escape * taken * (1 - right)
        miss = escape * (1 - right)
        done = np.zeros((3, 1))
        reach = np.full((1, n), weight / n)
        for depth, total in enumerate(sums):
            prefix = reach
            ends = [prefix @ m for m in (cost, right, bad + (1 - taken), miss)]
            base = np.concatenate([done, done[2:3]])  # cost, right, loss, loss
            full = np.stack([(base[k][:, None] + ends[k]) for k in range(4)])
            flat = full.reshape(4, -1)
            if depth == 1:
                keep = (one[:, None] != one[None, :]).ravel()
                flat = flat[:, keep]
            total += flat
            if depth == len(sums) - 1:
                break
            grown = np.stack(
                [base[0][:, None] + ends[0], base[1][:, None] + prefix @ good, base[2][:, None] + prefix @ bad]
            )
            done = grown.reshape(3, -1)
            reach = (prefix[:, None, :] * (1 - taken).T[None]).reshape(-1, n)
            if depth == 1:
                done, reach = done[:, keep], reach[keep]
    arms, table = np.vstack(blocks), np.concatenate(sums, axis=1)
    legal = (arms[:, 2] < 0) | ((arms[:, 2] != arms[:, 0]) & (arms[:, 2] != arms[:, 1]))
    return CascadeTable(arms=arms[legal], cost=table[0][legal], right=table[1][legal], loss=table[2:4].T[legal])


def tuned_cascade(table: CascadeTable, repair_usd: float) -> tuple[list[int], bool]:
    """Return the sequence with the least training J, and whether it ends with the human."""
    j = table.cost[:, None] + repair_usd * table.loss
    row, ending = np.unravel_index(int(j.argmin()), j.shape)
    return [int(x) for x in table.arms[row] if x >= 0], bool(ending == 0)


def iso_cascade(table: CascadeTable, target: float) -> list[int]:
    """Return the cheapest sequence with training accuracy at least `target`, or the most accurate one."""
    able = np.flatnonzero(table.right >= target - 1e-12)
    row = int(able[table.cost[able].argmin()]) if able.size else int(table.right.argmax())
    return [int(x) for x in table.arms[row] if x >= 0]


def ratio_order(right: Floats, cost: Floats) -> list[int]:
    """Return up to three arms by mean cost over success rate: the myopic ordering."""
    ratio = cost.mean(axis=0) / np.maximum(right.mean(axis=0), 1e-6)
    return [int(x) for x in np.argsort(ratio, kind="stable")[:3]]


def text_features(texts: tuple[str, ...]) -> Floats:
    """Return [n, 2 + 1024]: one, log length, and hashed words and pairs of words (CRC-32), log-damped and scaled to
    unit length."""
    out = np.zeros((len(texts), 2 + HASH_BUCKETS))
    for i, text in enumerate(texts):
        out[i, 0], out[i, 1] = 1.0, np.log1p(len(text)) / 10.0
        words_of = text.lower().split()[:300]
        for word in words_of:
            out[i, 2 + zlib.crc32(word.encode()) % HASH_BUCKETS] += 1.0
        for left, right in pairwise(words_of):
            out[i, 2 + zlib.crc32(f"{left} {right}".encode()) % HASH_BUCKETS] += 0.5
    words = np.log1p(out[:, 2:])
    out[:, 2:] = words / np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-9)
    return out


def family_features(families: tuple[str, ...], known: tuple[str, ...]) -> Floats:
    """Return [n, 1 + F]: one, and the family as an indicator; a family not in `known` has none."""
    place = {name: i for i, name in enumerate(known)}
    out = np.zeros((len(families), 1 + len(known)))
    out[:, 0] = 1.0
    for i, name in enumerate(families):
        if name in place:
            out[i, 1 + place[name]] = 1.0
    return out


def ridge(x: Floats, y: Floats, penalty: float) -> Floats:
    """Return coefficients [d, A] of a ridge regression around the column means; the first feature (one) is not penalised."""
    d = x.shape[1]
    shrink = penalty * np.eye(d)
    shrink[0, 0] = 1e-9
    return np.asarray(np.linalg.solve(x.T @ x + shrink, x.T @ y))


def routed(pick: Ints, right: Floats, cost: Floats, escape: float) -> Judged:
    """Return what a one-shot router does: `pick` [n] arm per task, its answer is returned as it is."""
    rows = np.arange(right.shape[0])
    y = right[rows, pick]
    return Judged(cost=cost[rows, pick], right=y, loss=escape * (1 - y))
