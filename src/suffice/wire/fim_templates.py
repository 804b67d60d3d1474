"""Templates with which open models were trained to fill in the middle: their tokens, in their order, and where they stop.

The tokens are facts from the model cards of each family. Code that contains such a token would be read as the template itself,
so `apply` takes it apart.
"""

from __future__ import annotations

import re

import msgspec


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One family. `order` is psm (prefix, suffix, middle) or spm (suffix first); `stop` the most important tokens first.

    `pad` stands between a token and the code. `file` introduces another file of the project, "" when the family has none.
    """

    prefix: str
    suffix: str
    middle: str = ""
    stop: tuple[str, ...] = ()
    order: str = "psm"
    pad: str = ""
    file: str = ""


_QWEN = ("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>", "<|im_end|>", "<|fim_prefix|>")
_STAR = ("<|endoftext|>", "<file_sep>", "<repo_name>", "<fim_prefix>")
_DEEP = ("<｜end▁of▁sentence｜>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>")
TEMPLATES: dict[str, Template] = {
    "qwen": Template(
        prefix="<|fim_prefix|>", suffix="<|fim_suffix|>", middle="<|fim_middle|>", stop=_QWEN, file="<|file_sep|>"
    ),
    "codegemma": Template(
        prefix="<|fim_prefix|>",
        suffix="<|fim_suffix|>",
        middle="<|fim_middle|>",
        stop=("<|file_separator|>", "<eos>", "<|fim_prefix|>"),
        file="<|file_separator|>",
    ),
    "starcoder": Template(
        prefix="<fim_prefix>", suffix="<fim_suffix>", middle="<fim_middle>", stop=_STAR, file="<file_sep>"
    ),
    "granite": Template(
        prefix="<fim_prefix>", suffix="<fim_suffix>", middle="<fim_middle>", stop=("<|endoftext|>", "<fim_prefix>")
    ),
    "deepseek": Template(prefix="<｜fim▁begin｜>", suffix="<｜fim▁hole｜>", middle="<｜fim▁end｜>", stop=_DEEP),
    "codellama": Template(prefix="<PRE>", suffix="<SUF>", middle="<MID>", stop=("<EOT>", "</s>"), pad=" "),
    "codestral": Template(
        prefix="[PREFIX]", suffix="[SUFFIX]", stop=("</s>", "[PREFIX]", "[SUFFIX]", "[MIDDLE]"), order="spm"
    ),
    "glm": Template(
        prefix="<|code_prefix|>",
        suffix="<|code_suffix|>",
        middle="<|code_middle|>",
        stop=("<|endoftext|>", "<|user|>", "<|code_prefix|>"),
    ),
}
# The first that stands in a model's name counts.
_NAMES = (
    ("codegemma", "codegemma"),
    ("qwen", "qwen"),
    ("starcoder", "starcoder"),
    ("granite", "granite"),
    ("deepseek", "deepseek"),
    ("codellama", "codellama"),
    ("code-llama", "codellama"),
    ("codestral", "codestral"),
    ("mistral", "codestral"),
    ("glm", "glm"),
)


def family_of(model: str) -> str:
    """Return the family by a model's name, "" when no template is known for it."""
    name = model.lower()
    return next((family for word, family in _NAMES if word in name), "")


_TRAINED = re.compile(
    r"coder|codestral|starcoder|code-?llama|codegemma|codegeex|code-?qwen|deepseek-?v\d|granite.*code"
)


def trained(model: str) -> bool:
    """Tell from a model's name whether it was trained to fill in; for models of which the catalogue knows nothing."""
    return _TRAINED.search(model.lower()) is not None


def apply(family: str, prefix: str, suffix: str, files: tuple[tuple[str, str], ...] = ()) -> tuple[str, bool]:
    """Return (the prompt, whether tokens of the template stood in the code and were taken apart)."""
    template = TEMPLATES[family]
    texts = [prefix, suffix, *(text for file in files for text in file)]
    clean = [_apart(text, template) for text in texts]
    before, after, others = clean[0], clean[1], clean[2:]
    head = ""
    if template.file and others:
        pairs = zip(others[::2], others[1::2], strict=True)
        head = "".join(f"{template.file}{name}\n{text}\n" for name, text in pairs) + template.file
    pad = template.pad
    if template.order == "spm":
        prompt = f"{template.suffix}{after}{template.prefix}{before}"
    else:
        # One space stands before each further token too, but none between the suffix token and the code.
        prompt = f"{template.prefix}{pad}{before}{pad}{template.suffix}{after}{pad}{template.middle}"
    return head + prompt, clean != texts


def split(prompt: str) -> tuple[str, str, str] | None:
    """Return (family, prefix, suffix) of a prompt that a client wrote with a template, None when it is none of them.

    A prompt with more in front (other files) is left alone: only the family it was written for can read it.
    """
    for family, template in TEMPLATES.items():
        first, second = (
            (template.prefix, template.suffix) if template.order == "psm" else (template.suffix, template.prefix)
        )
        if not prompt.startswith(first) or prompt.count(first) != 1 or prompt.count(second) != 1:
            continue
        one, _, two = prompt[len(first) :].partition(second)
        if template.order == "spm":
            return family, two, one
        if not two.endswith(template.middle) or two.count(template.middle) != 1:
            continue
        two = two.removesuffix(template.middle)
        pad = template.pad
        if pad:
            one, two = one.removeprefix(pad).removesuffix(pad), two.removesuffix(pad)
        return family, one, two
    return None


def _apart(text: str, template: Template) -> str:
    for token in {template.prefix, template.suffix, template.middle, template.file, *template.stop} - {""}:
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text
