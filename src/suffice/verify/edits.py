"""Gate `edit-applies`: every edit of the answer fits the file that it names, as the conversation shows that file.

Judged are search/replace blocks, unified diffs (by their context, not their line numbers), `apply_patch` envelopes,
replace-text
tool calls and whole files. A file that the conversation does not contain in full is UNKNOWN.
"""

from __future__ import annotations

from suffice.values.verdict import Outcome, Verdict
from suffice.verify.reading import Reading, verdict

GATE = "edit-applies"


def check(reading: Reading) -> Verdict:
    """Return whether the edits of the answer apply."""
    applied = reading.applied
    for problem in applied.problems:
        if problem.sure:
            place = f" of {problem.path}" if problem.path else ""
            reason = f"The edit{place} does not apply: {problem.why}."
            evidence = f"{reason}\n{problem.evidence}" if problem.evidence else reason
            return verdict(GATE, Outcome.REJECT, reason, kind="not-applying", evidence=evidence, piece=problem.piece)
    if applied.problems:
        first = applied.problems[0]
        return verdict(GATE, Outcome.UNKNOWN, f"{first.path or 'an edit'}: {first.why}", piece=first.piece)
    if not applied.fitting:
        return verdict(GATE, Outcome.UNKNOWN, "the answer holds no edit")
    return verdict(GATE, Outcome.ACCEPT, f"{applied.fitting} edits apply")
