"""Build src/suffice/verify/data: which packages and modules exist, compactly and dated.

Arguments name the registries' lists (tab-separated, a header line): `--pypi` (name, version, month, rank among the
most downloaded),
`--npm` (name, version, downloads a month), `--crates` (one crate a line), `--python` interpreters whose standard
library is listed,
`--date`. Names known at all go into a Bloom filter (10 bits a name, 1 % false positives: a name that exists is never missed),
the most used ones into a sorted list for look-alikes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from pathlib import Path

BITS_PER_NAME = 10
HASHES = 7
LISTING = (
    "import sys, os, pkgutil\n"
    "names = set(getattr(sys, 'stdlib_module_names', ())) | set(sys.builtin_module_names)\n"
    "names |= {m.name for m in pkgutil.iter_modules([os.path.dirname(os.__file__)])}\n"
    "print('\\n'.join(n for n in names if n != 'site-packages'))"
)
# Not installed here: Python 3.14's additions and the standard library of Python 2 that snippets still import.
ADDED = ["annotationlib", "compression", "_interpreters"]
REMOVED = [
    "asynchat",
    "asyncore",
    "distutils",
    "imp",
    "smtpd",
    "aifc",
    "audioop",
    "cgi",
    "cgitb",
    "chunk",
    "crypt",
    "imghdr",
    "mailcap",
    "msilib",
    "nis",
    "nntplib",
    "ossaudiodev",
    "pipes",
    "sndhdr",
    "spwd",
    "sunau",
    "telnetlib",
    "uu",
    "xdrlib",
    "lib2to3",
    "formatter",
    "parser",
    "symbol",
    "macpath",
    "binhex",
    "asyncore",
    "dummy_threading",
    "_dummy_threading",
    "urllib2",
    "urlparse",
    "ConfigParser",
    "StringIO",
    "cStringIO",
    "cPickle",
    "Queue",
    "Tkinter",
    "tkMessageBox",
    "tkFileDialog",
    "httplib",
    "BaseHTTPServer",
    "SimpleHTTPServer",
    "SocketServer",
    "HTMLParser",
    "htmlentitydefs",
    "Cookie",
    "cookielib",
    "xmlrpclib",
    "commands",
    "md5",
    "sha",
    "sets",
    "thread",
    "__builtin__",
    "exceptions",
    "copy_reg",
    "anydbm",
    "dumbdbm",
    "whichdb",
    "robotparser",
    "repr",
    "UserDict",
    "UserList",
    "UserString",
    "itertools",
]


def bloom(names: set[str]) -> bytes:
    """Return the Bloom filter of `names`: bit `h_i(name) mod size` is set for each of `HASHES` slices of a BLAKE2b digest."""
    size = max(8, (len(names) * BITS_PER_NAME + 7) // 8)
    bits = bytearray(size)
    for name in names:
        digest = hashlib.blake2b(name.encode(), digest_size=4 * HASHES).digest()
        for at in range(0, 4 * HASHES, 4):
            bit = int.from_bytes(digest[at : at + 4], "little") % (size * 8)
            bits[bit >> 3] |= 1 << (bit & 7)
    return bytes(bits)


def rows(path: Path) -> list[list[str]]:
    """Return the rows below the header of a tab-separated list."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[1:] if line]


def standard_library(interpreters: list[str]) -> set[str]:
    """Return the top-level modules of the given interpreters and of those that are not installed."""
    names = set(ADDED) | set(REMOVED)
    for python in interpreters:
        names |= set(subprocess.run([python, "-c", LISTING], check=True, capture_output=True, text=True).stdout.split())
    return {name for name in names if name.isidentifier()}


def main() -> None:
    """Write the data files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pypi", type=Path, required=True)
    parser.add_argument("--npm", type=Path, required=True)
    parser.add_argument("--crates", type=Path, required=True)
    parser.add_argument("--python", nargs="+", default=["python3"])
    parser.add_argument("--date", required=True)
    parser.add_argument("--out", type=Path, default=Path("src/suffice/verify/data"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    pypi, npm = rows(args.pypi), rows(args.npm)
    top_pypi = sorted(row[0].lower() for row in pypi if len(row) > 3 and row[3].isdigit())
    npm_counts = [(int(row[2]), row[0].lower()) for row in npm if len(row) > 2 and row[2].isdigit()]
    top_npm = sorted(name for _, name in sorted(npm_counts, reverse=True)[:10_000])
    crates = sorted({line.strip().replace("-", "_") for line in args.crates.read_text().split("\n") if line.strip()})
    python = sorted(standard_library(args.python))
    (args.out / "pypi.bloom").write_bytes(bloom({row[0].lower() for row in pypi}))
    (args.out / "npm.bloom").write_bytes(bloom({name for _, name in npm_counts}))
    for name, lines in (("pypi_top", top_pypi), ("npm_top", top_npm), ("crates", crates), ("python_stdlib", python)):
        (args.out / f"{name}.txt").write_text("\n".join(lines) + "\n")
    facts = {"date": args.date, "pypi_names": len(pypi), "npm_names": len(npm_counts), "hashes": HASHES}
    (args.out / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
