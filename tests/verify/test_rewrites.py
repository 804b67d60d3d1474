import pytest

from suffice.verify import grammars, rewrites, syntax
from suffice.verify.python_code import Status

MISREAD = [
    ("typescript", "let ok = true\nfor (let i = 1; i < unique.length; i++) {\n  ok = unique[i] === i\n}\n"),
    ("tsx", 'const a = <a href="https://x.example/?a=1&utm_source=b&utm_medium=c">x</a>;\n'),
    ("swift", "for (index, each) in list.enumerated() {\n    if each == 1 {\n        total += index\n    }\n}\n"),
    ("ruby", "class A\n  def limit = 50\n\n  def update! = raise ArgumentError\nend\n"),
    ("rust", "# #[cfg(unix)] {\nuse std::arch::asm;\n# }\n"),
    ("kotlin", "val [first, second] = pair\n"),
    ("c", "void f(Cell *c) {\n    for (each_child(c)) {\n        visit(c);\n    }\n}\n"),
    ("swift", "protocol P {\n    associatedtype K : Comparable, Hashable\n    func f(_ k: K)\n}\n"),
    ("c", "void f(jv args) {\n  jv_array_foreach(args, i, v)\n    r = add(r, v);\n  end(r);\n}\n"),
    ("go", "package main\n\nfunc main() {\n\tp := new(42)\n\tq := new([]int)\n\tuse(p, q)\n}\n"),
    ("scala", "class A {\n  val f = lift[List, Option]([X] => (_: List[X]).headOption)\n}\n"),
    ("cpp", "void f() {\n    rep(i, 0, g(n)) out >> v[h(i)];\n    REP(i, n) x[i] = 1;\n    f();\n}\n"),
    ("cpp", "template <class c> auto f(c* x) -> decltype(cerr << *x, 0);\n"),
    ("cpp", "int f(char c) {\n    switch (c) {\n    case '0'...'9': return 1;\n    }\n    return 0;\n}\n"),
    ("cpp", "void f() {\n    best >?= g(1);\n}\n"),
    ("cpp", "int **f(int n) {\n    int **a = new int *[n];\n    a[0] = new int[n];\n    return a;\n}\n"),
    ("cpp", 'void f() {\n  auto t = new std::vector<int>*[3]();\n  auto s = new const char*[2]{"a", "b"};\n}\n'),
    ("cpp", "struct F {\n    int operator()(int n) { return n ? this->operator()(n - 1) : 0; }\n};\n"),
    ("cpp", "auto p = [&](int v) -> int* { return new int[] {v, 1}; };\n"),
    ("rust", "struct A {\n    hm: HashMap::<String, Vec<(String, i32)>>\n}\n"),
    ("rust", 'fn f() {\n    let m: HashMap::<u8, i32> = HashMap::new();\n    let n = "1".parse::<i32>();\n}\n'),
    ("rust", "fn f() {\n    Curve::<Field<2>, -1, 1>::infinity();\n}\n"),
    ("csharp", "class A {\n    void R(IntPtr p, byte[] b) {\n        *(int*)p = S.Read(b);\n    }\n}\n"),
    ("csharp", 'class A {\n    string S() => $"It is {on: \\"on\\", \\"off\\"}";\n}\n'),
    (
        "csharp",
        'return args switch\n{\n    ["encode", var v] when v != ""\n        => Encode(v),\n    _ => Usage()\n};\n',
    ),
    (
        "csharp",
        "class A { bool F(int[] x) { if (x is [1, .., 3]) return true; return x is [var a, .. var b] && a > 1; } }\n",
    ),
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
