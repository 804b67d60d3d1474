import shutil
import subprocess

import pytest

from suffice.verify import shell

RIGHT = [
    "value() {\n    echo $(( 10#${1}${2} * 10 ** $3 ))\n}\n",
    "for ((i=start; i*i $cond n; i+=step)); do\n    j=$(( n / i ))\ndone\n",
    'if [[ $line =~ ^("#"{1,6})" "(.*) ]]; then\n    n=1\nfi\n',
    "if ((1 + C[p - coins[i]] < min )); then\n    min=$((1 + ${C[p - coins[i]]} ))\nfi\n",
    'printf "%s" "${1~~}"\n',
    'case $1 in (a|b) x;; c*) y ;& "d e") z ;; esac\n',
    "if a; then if b; then c; fi fi\n",
    "{ { a; } }\n((a); b)\n( (a) | b )\n",
    "cat <<A <<-'B' | sort\n$(one\nA\n\ttwo (\n\tB\necho\n",
    "x=$(cat <<EOF\nit's (\nEOF\n)\n",
    "[[ -f a\n  && -f b ]] || ! [[ ( $a == x* || $b < $c ) && ! -e d ]]\n",
    "a=(1 2 # a remark (\n  [3]=4 $(b) 'c d')\ndeclare -A m=([x]=1)\nm[a b]=2\nm[$((i + 1))]+=c\n",
    "while read -r a; do b; done < <(c) 2>&1 >/dev/null {fd}>d\n",
    'show() {\n  local file\n  for file do\n    echo "$file"\n  done\n}\n',
    "select x in a b; do break; done\nfor x do a; done\nfor x in a b\ndo c\ndone\n",
    "function f { a; }\nfunction g() ( b )\nh () if a; then b; fi\nf-g.h() { a; }\n",
    'echo "${a:-"b\'s"} $(echo "}") `c \'d` e" # it\'s\n',
    "echo ${a#'}'} ${a//\\}/x} ${#b[@]} ${!c} $# $$ $'it\\'s' $\"d\"\n",
    "a && \\\n  b ||\n\n  # why\n  c | d |& e &\nwait; time -p a; ! b\n",
    "coproc up { a; }\ncoproc a b\n",
    "shopt -s extglob; ls !(a|b) @(c)d\n",
    '[ a = b ] && [ -n "$x" ] 2>/dev/null\n',
    "",
]
WRONG = [
    ("if a; then b\n", "'then' is never closed", True),
    ("f() {\n  a\n", "'{' is never closed", True),
    ("a &&\n", "ends after '&&'", True),
    ("echo 'a\n", "a single quote is never closed", True),
    ('echo "a $(b "c)\n', "a quote is never closed", True),
    ("echo ${a\n", "'${' is never closed", True),
    ("echo $((1 + 2)\n", "is never closed", True),
    ("a=([1]=b [2=c [3]=d)\n", "'[' is never closed", True),
    ("a=(1 2\n", "an array is never closed", True),
    ("case a in\n  b) c\n", "'case' is never closed", True),
    ("[[ -f a && \n", "'[[' is never closed", True),
    ("if [[ a == b ]; then\n  c\nfi\n", "']]' is missing", False),
    ("f() {\n  a\n}\n}\n", "'}' closes nothing", False),
    ("if a; then\n  b\ndone\n", "'done' where 'fi'", False),
    ("while a; b; done\n", "'done' where 'do'", False),
    ("a | | b\n", "no command follows", False),
    ("a ;; b\n", "';;' closes nothing", False),
    ("echo a (b)\n", "not expected", False),
    ("cat < \n", "has no target", False),
    ("case a in b c) d;; esac\n", "behind a pattern", False),
    ("f()\necho a\n", "a function has no body", False),
]
# What `bash -n` lets pass, or only warns of, and what fails when it is run.
WRONG_WHEN_RUN = [
    ("echo ${a[1}\n", "'[' is never closed", True),
    ("cat <<EOF\na\n", "here-document", True),
    ("if [ a = b; then\n  c\nfi\n", "'[' has no ']'", False),
    ("for ((i=0; i<2; i++); do a; done\n", "'))' is missing", False),
]


@pytest.mark.parametrize("code", [*RIGHT, 'echo "${a:-it\'s}"\n'])
def test_what_the_shell_reads_is_read(code):
    assert shell.read(code) is True


@pytest.mark.parametrize(("code", "why", "cut"), WRONG + WRONG_WHEN_RUN)
def test_what_the_shell_cannot_read_has_a_reason(code, why, cut):
    fault = shell.read(code)
    assert isinstance(fault, shell.Fault)
    assert why in fault.why and fault.cut is cut


@pytest.mark.parametrize("code", ["echo ${(j:,:)a}", "x=${ a; }", "(" * 200, "cat <<A\nA\n" * 300])
def test_what_only_some_shells_have_or_what_is_too_much_is_unknown(code):
    assert shell.read(code) is False


def test_the_row_is_where_it_is_wrong():
    fault = shell.read("a\nb\nif c; then\n  d\ne)\n")
    assert isinstance(fault, shell.Fault) and fault.row == 4


@pytest.mark.skipif(shutil.which("bash") is None, reason="no shell to compare with")
@pytest.mark.parametrize(
    ("code", "good"),
    [(code, True) for code in RIGHT] + [(code, False) for code, _, _ in WRONG],
)
def test_the_shell_itself_says_the_same(code, good):
    run = subprocess.run(["bash", "-O", "extglob", "-n"], input=code.encode(), capture_output=True, timeout=20)
    assert (run.returncode == 0 and not run.stderr) is good
