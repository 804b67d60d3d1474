import pytest

from suffice.verify import grammars, rewrites, syntax
from suffice.verify.python_code import Status

MISREAD = [
    ("bash", "value() {\n    echo $(( 10#${1}${2} * 10 ** $3 ))\n}\n"),
    ("bash", "for ((i=start; i*i $cond n; i+=step)); do\n    j=$(( n / i ))\ndone\n"),
    ("bash", 'if [[ $line =~ ^("#"{1,6})" "(.*) ]]; then\n    n=1\nfi\n'),
    ("bash", "if ((1 + C[p - coins[i]] < min )); then\n    min=$((1 + ${C[p - coins[i]]} ))\nfi\n"),
    ("bash", 'printf "%s" "${1~~}"\n'),
    ("typescript", "let ok = true\nfor (let i = 1; i < unique.length; i++) {\n  ok = unique[i] === i\n}\n"),
    ("tsx", 'const a = <a href="https://x.example/?a=1&utm_source=b&utm_medium=c">x</a>;\n'),
    ("swift", "for (index, each) in list.enumerated() {\n    if each == 1 {\n        total += index\n    }\n}\n"),
    ("ruby", "class A\n  def limit = 50\n\n  def update! = raise ArgumentError\nend\n"),
    ("rust", "# #[cfg(unix)] {\nuse std::arch::asm;\n# }\n"),
    ("kotlin", "val [first, second] = pair\n"),
    ("c", "void f(Cell *c) {\n    for (each_child(c)) {\n        visit(c);\n    }\n}\n"),
    ("yaml", 'a:\n  - text: "one line\n  and another"\n    b: 1\n'),
]


@pytest.mark.parametrize(("language", "code"), MISREAD)
def test_what_a_grammar_misreads_is_good(language, code):
    assert syntax.parse(code, language).status is not Status.BAD


@pytest.mark.parametrize(("language", "code"), MISREAD)
def test_the_grammar_faults_it_and_reads_it_in_plainer_words(language, code):
    assert isinstance(grammars.fault(code, language), grammars.Fault)
    assert grammars.fault(rewrites.plainer(code, language), language) is None


def test_a_fault_elsewhere_stays_a_fault():
    code = "for (let i = 1; i < unique.length; i++) {\n  const x = = unique[i];\n}\n"
    assert syntax.parse(code, "typescript").status is Status.BAD
