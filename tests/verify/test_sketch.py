import pytest

from suffice.verify import sketch, syntax
from suffice.verify.python_code import Status

SKETCHES = [
    ("scala", "scala> val xs = List(1, 2)\nval xs: List[Int] = List(1, 2)\n"),
    ("bash", "$ cat list.txt\none (first\n two) second\n"),
    ("bash", "(gdb) b main.c:3\nBreakpoint 1 at 0x10: file main.c, line 3.\n"),
    ("kotlin", "fun load(id: Int): Result = ...\n"),
    ("kotlin", "fun update(user: User): User = // Write your code here\n\nfun main() {\n    println(1)\n}\n"),
    ("scala", "object Files {\n  def read(name: String): Try[String] = ...\n}\n"),
    ("java", "interface Box<E> ... {\n    void put(E item);\n}\n"),
    ("javascript", "const app = createApp(...)\n"),
    ("javascript", "import a from 'a';\n+++import b from 'b';+++\n"),
    ("c", "bool check(int a) {\n    if (/* something bad */) {\n        return false;\n    }\n    return true;\n}\n"),
    ("java", "java.lang.NullPointerException: name is null\n    at demo.Main.run(Main.java:8)\n"),
    ("kotlin", "launcher = service.launcherFor {\n    version.set(Version.of(<MAJOR_VERSION>))\n}\n"),
]
PYTHON = [
    "routes = [\n    ...\n    Mount('/static', app=Files()),\n    ...\n]\n",
    "async def func(request: Request, **kwargs) -> Response",
]
PARTS = [
    ("tsx", '<Box size="1" />  // one\n<Box size={<b>hi</b>} /> // two\n'),
    ("php", "'queue' => [\n    'driver' => 'redis',\n],\n"),
    ("php", "->withMiddleware(function (Middleware $m): void {\n    $m->trust(at: '*');\n})\n"),
    ("php", "use App\\Models\\Flight;\n\n'index' => [\n    Flight::class => ['id'],\n],\n"),
    ("php", "return $a->id === $b->id &&\n    $a->allowed()\n"),
    ("kotlin", '0, 1 -> print("few")\nelse -> print("many")\n'),
    ("kotlin", "@Composable\n@Preview\n"),
    ("java", '@Source(url = "x",\n        mail = "y")\n'),
    ("javascript", "  .then((r) => r.json())\n  .catch(report);\n"),
]
TEMPLATES = [("php", "<div>\n    {{ $name }}\n</div>\n"), ("php", "@if ($a)\n  x\n@endif\n")]


@pytest.mark.parametrize(("language", "code"), [*SKETCHES, *PARTS, *TEMPLATES])
def test_an_illustration_is_not_called_broken(language, code):
    assert syntax.parse(code, language).status is not Status.BAD


@pytest.mark.parametrize(("language", "code"), PARTS)
def test_a_part_is_read_in_its_surroundings(language, code):
    assert syntax.parse(code, language).status is Status.GOOD


def test_dots_in_a_comment_are_no_hole():
    code = "class A {\n    /* 2, 3, 5, ...\n       and so on */\n    int f() {\n        int x = = 1;\n        return x;\n    }\n}\n"
    assert syntax.parse(code, "java").status is Status.BAD
    assert not sketch.is_sketch("int a; // 1, 2, ...\nint b;\n", "java", "int b;")


def test_what_is_left_open_is_never_a_sketch():
    assert syntax.parse("class A { ...\n  void f() {\n", "java").status is Status.BAD


def test_a_prompt_excuses_what_a_program_printed():
    assert sketch.is_session("irb> 1 + 1\n=> 2\n") and not sketch.is_session("x = 1\n")


@pytest.mark.parametrize("code", PYTHON)
def test_an_illustration_in_python_is_not_called_broken(code):
    assert syntax.parse(code, "python").status is not Status.BAD
