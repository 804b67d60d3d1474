import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.macros import MOST, expanded
from suffice.verify.python_code import Status
from suffice.verify.syntax import parse


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("#define N 10 // ten\nint a[N];", "\nint a[10];"),
        ("#define all(x) begin(x), end(x)\nsort(all(v));", "\nsort(begin(v), end(v));"),
        (
            "#define rep(i, n) for (int i = 0; i < (n); i++)\nrep(i, f(1, 2)) g();",
            "\nfor (int i = 0; i < (f(1, 2)); i++) g();",
        ),
        ("#define a b\n#define b a\na;", "\n\na;"),
        ("#define f(x) (x + f)\nf(1)(2); f;", "\n(1 + f)(2); f;"),
        ("#define cat(a, b) a##b\ncat(x, 1);", "\nx1;"),
        ("#define str(x) #x\nputs(str(a b));", '\nputs("");'),
        ("#define log(...) printf(__VA_ARGS__)\nlog(1, (2, 3));", "\nprintf(1, (2, 3));"),
        ("#define two \\\n  f(); \\\n  g()\ntwo;", "\n\n\nf();    g();"),
        ('#define N 1\nputs("N"); // N\n', '\nputs("N"); // N\n'),
        ("#define f(x) x\nf(1", "\nf(1"),
        ("#define f(x) x\nint f;", "\nint f;"),
        ("int main() {}\n", "int main() {}\n"),
    ],
)
def test_macros_are_put_in(code: str, read: str) -> None:
    assert expanded(code) == read


def test_what_grows_without_bound_comes_back_as_it_was() -> None:
    code = "#define a0 x\n" + "".join(f"#define a{n + 1} a{n} a{n}\n" for n in range(30)) + "a30;\n"
    assert len(expanded(code)) <= MOST
    assert expanded(code) == code


@given(st.text(alphabet="#define fx(),\\\n\"'/* 12.R", max_size=300))
def test_any_text_is_read(text: str) -> None:
    expanded(text)
    expanded("#define f(x) x##x f(#x)\n#define e\n" + text)


LOOPS = """#include <bits/stdc++.h>
using namespace std;
#define rep(i, a, b) for (int i = a; i < (b); ++i)
#define all(x) begin(x), end(x)
#define open template <class c
#define shown(x) open> debug& operator<<(c i) { x
int main() {
    vector<int> v(3);
    rep(i, 0, 3) cin >> v[i];
    sort(all(v));
    rep(i, 0, 3) rep(j, 0, 3) if (i == j) cout << v[i];
}
struct debug {
    shown(;) return *this; }
};
"""


def test_loops_and_headers_of_macros_are_read_as_what_they_are() -> None:
    assert parse(LOOPS, "cpp").status is Status.GOOD


def test_a_fault_beside_macros_stays_a_fault() -> None:
    assert parse(LOOPS.replace("sort(all(v));", "sort(all(v);"), "cpp").status is Status.BAD
    assert parse(LOOPS.rstrip().removesuffix("};"), "cpp").status is Status.BAD
    lost = parse(LOOPS.replace("if (i == j)", "if i == j)"), "cpp")
    assert lost.status is Status.BAD
    assert lost.line == 1 + LOOPS.split("\n").index("    rep(i, 0, 3) rep(j, 0, 3) if (i == j) cout << v[i];")
