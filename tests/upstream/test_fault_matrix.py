"""The rows as the design states them, and the page that shows them."""

from __future__ import annotations

import pytest
from tests.upstream.matrix_page import BEGIN, END, PAGE, table

from suffice.upstream.fault_matrix import CREDENTIAL_MISSING, EGRESS_DENIED, MATRIX, PROXY_FAILED, ROWS, Charge, Cools

# row: client status, retry in order, what cools, for how many seconds, charge
DESIGN = """
 1 502 other,next                  endpoint+model    5 none
 2 502 other,next                  host             15 none
 3 502 other,next                  host            300 none
 4 504 other,next                  endpoint+model   15 none
 5 502 same,other,next             endpoint+model   15 none
 6 502 same,other,next             -                 0 unk
 7 504 other,next                  endpoint+model   15 unk
 8 504 other,next                  endpoint+model   15 unk
 9 504 other,next                  endpoint+model   15 est
10 504 other,next                  endpoint+model   15 est
11 429 other,same,next             endpoint+model    1 none
12 429 other,same,next             endpoint+model   10 none
13 503 other-credential,next       credential     3600 none
14 502 same,other,next             endpoint+model   15 none
15 503 other-provider,next         endpoint+model   10 none
18 502 -                           endpoint+model   15 est
19 502 other,next                  endpoint+model   15 est
20 502 other,next                  endpoint+model   15 est
21 502 other,next                  endpoint+model   60 none
22 200 same,other,next             -                 0 exact
23 400 next                        -                 0 exact
24 400 next                        -                 0 none
25 503 other-credential,next       credential     3600 none
26 502 other-credential,next       credential      300 none
27 404 other,next                  endpoint+model  600 none
28 400 -                           -                 0 none
29 503 other,same,next             -                 0 none
30 413 next                        -                 0 none
31 200 same                        -                 0 exact
32 200 -                           -                 0 exact
33 200 -                           -                 0 est
34 502 other,next                  endpoint+model   15 est
35 502 other,next                  endpoint+model  300 est
36 502 other,next                  endpoint+model   60 none
"""


@pytest.mark.parametrize("line", DESIGN.strip().splitlines())
def test_the_rows_are_those_of_the_design(line: str) -> None:
    number, status, retry, cools, seconds, charge = line.split()
    row = MATRIX[int(number)]
    assert row.status == int(status)
    assert ",".join(row.retry) == retry.strip("-")
    assert (row.cools or "-") == cools
    assert row.cooldown_s == float(seconds)
    assert row.charge == charge


def test_rows_are_complete_and_codes_unique() -> None:
    assert [row.row for row in ROWS] == list(range(1, 37))
    codes = [row.code for row in (*ROWS, EGRESS_DENIED, PROXY_FAILED, CREDENTIAL_MISSING)]
    assert len(set(codes)) == len(codes)


def test_the_invariants_of_the_table() -> None:
    for row in ROWS:
        assert row.status not in (401, 402, 403), row
        assert row.cooldown_max_s >= row.cooldown_s, row
        assert bool(row.cools) == (row.cooldown_s > 0), row
        assert not row.until_changed or row.cools is Cools.CREDENTIAL, row
        assert len(set(row.retry)) == len(row.retry), row
    assert {row.row for row in ROWS if row.alert} == {3, 13, 21, 25, 26, 27, 35, 36}
    assert {row.row for row in ROWS if row.charge is Charge.UNK} == {6, 7, 8}
    assert {row.row for row in ROWS if row.strikes} == {5, 8, 9, 10, 14, 16, 17, 18, 19, 20, 34}


def test_the_page_shows_this_table() -> None:
    shown = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown == table(), "run .venv/bin/python -m tests.upstream.matrix_page"
