import pytest

from suffice.verify.extract import Code
from suffice.verify.imported import of_cpp, of_go, of_java, of_javascript, of_python, of_rust
from suffice.verify.python_code import Parse, Status, read

NONE = Parse(status=Status.GOOD)


def known(reader, text):
    parsed = read(text) if reader is of_python else NONE
    return {item.name: item.known for item in reader(Code(text=text), parsed)}


def test_python():
    text = "import os.path, numpy as np\nfrom . import a\nfrom .b import c\nfrom quick_array_toolset.x import y\n"
    assert known(of_python, text) == {"os": True, "numpy": True, "quick_array_toolset": False}


def test_a_guarded_python_import():
    text = "try:\n    import quick_array_toolset\nexcept ImportError:\n    quick_array_toolset = None\n"
    (item,) = of_python(Code(text=text), read(text))
    assert item.guarded


def test_javascript():
    text = """
import React, { useState } from 'react';
import type { A } from "./a";
import '@/styles.css';
export * from 'lodash/fp';
const fs = require('node:fs/promises'), x = require("quick-array-toolset");
const y = await import('@scope-that-is-not/there');
// import z from 'commented-out-zz';
import v from 'virtual:thing';
"""
    assert known(of_javascript, text) == {
        "react": True,
        "lodash": True,
        "node:fs": True,
        "quick-array-toolset": False,
        "@scope-that-is-not/there": None,
    }


def test_go():
    text = 'package a\nimport (\n\t"fmt"\n\tx "strings/fast"\n\t"github.com/a/b"\n)\nimport "quicksortkit"\n'
    assert known(of_go, text) == {"fmt": True, "strings/fast": False, "github.com/a/b": None, "quicksortkit": False}


def test_rust():
    text = (
        "use std::collections::HashMap;\nuse std::fastmap::X;\nuse serde::Serialize;\nuse "
        "quick_array_toolset::A;\nmod b;\nuse b::C;\nuse crate::d;\n"
    )
    assert known(of_rust, text) == {"std": True, "std::fastmap": False, "serde": True, "quick_array_toolset": False}


def test_a_crate_that_may_be_real_is_not_called_invented():
    families = ("tokio_quick_toolset", "icu_quick_toolset", "google_cloud_toolset", "swc_ecma_toolset")
    names = ("word_count", *families, "quick_array_derive", "rarecrate", "zzyzx")
    text = "".join(f"use {name}::A;\n" for name in names)
    assert known(of_rust, text) == dict.fromkeys(names)
    assert known(of_rust, "pub use crate::cells::*;\nuse quick_array_toolset::A;\n") == {"quick_array_toolset": None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("use std::{collections::{HashMap, HashSet}, fs, io::{self, Read}};", {"std": True}),
        ("use std::{self, // fast, perhaps\n    fmt /* slow, so */};", {"std": True}),
        ("use std::{fs, fastmap::X};", {"std::fastmap": False}),
        ("use core::{mem, quickcell};", {"core::quickcell": False}),
        ("use std::{", {"std": True}),
    ],
)
def test_each_module_of_a_group_is_looked_up(text, found):
    assert known(of_rust, text) == found


def test_java():
    text = (
        "import java.util.List;\nimport java.util.fastlists.X;\nimport org.junit.Test;\nimport "
        "quickarraystoolset.core.Y;\nimport static java.lang.Math.*;\n"
    )
    found = known(of_java, text)
    assert found == {
        "java.util.List": True,
        "java.util.fastlists": False,
        "org.junit.Test": None,
        "quickarraystoolset": False,
        "java.lang.Math": True,
    }


def test_cpp():
    text = '#include <vector>\n#include <quick_arrays>\n#include <boost/any.hpp>\n#include "own.h"\n'
    assert known(of_cpp, text) == {"vector": True, "quick_arrays": False, "boost/any.hpp": None}
