# SPDX-License-Identifier: MIT
"""cc_fuzz_test, with the signature and the targets of rules_fuzzing.

A target is one C file with LLVMFuzzerTestOneInput(). How its binaries are
built is fixed here, not on the command line, so that one plain
`bazel test //...` replays the seeds under sanitizers and no flag can be
forgotten.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary")
load("//core/build:copts.bzl", "HIGHMEM_COPTS")
load("//core/build:variant.bzl", "variant_binary", "variant_test")
load(
    "//fuzz/engine:rules.bzl",
    "fuzz_corpus",
    "fuzz_dictionary",
    "fuzz_launcher",
    "fuzz_options",
    "fuzz_oss_fuzz",
)

# libFuzzer's flags for every target: ci/fuzz, the launcher and OSS-Fuzz all
# read them from <name>.options. max_len holds PROGRAM_MAX_OPS of
# stress/program/program.h. Lengths are not held short at first: a bug of waiting
# takes several tasks with a few operations each.
_OPTIONS = "//fuzz:fuzz_test.options"

# What NAME_bin is built with. A --config of .bazelrc may say otherwise.
_SANITIZERS = select({
    "//fuzz/engine:asan-libfuzzer": ["asan", "libfuzzer"],
    "//fuzz/engine:asan-replay": ["asan"],
    "//fuzz/engine:asan-ubsan-replay": ["asan", "ubsan"],
    "//fuzz/engine:ubsan-libfuzzer": ["ubsan", "libfuzzer"],
    "//conditions:default": ["asan", "ubsan", "libfuzzer"],
})

# OSS-Fuzz takes one sanitizer at a time, and refuses a build with two.
_OSS_FUZZ_SANITIZERS = select({
    "//fuzz/engine:ubsan-libfuzzer": ["ubsan", "libfuzzer"],
    "//conditions:default": ["asan", "libfuzzer"],
})

_ENGINE = select({
    "//fuzz/engine:asan-replay": "replay",
    "//fuzz/engine:asan-ubsan-replay": "replay",
    "//conditions:default": "libfuzzer",
})

def _binaries(name, engine, tags, binary_kwargs):
    """NAME_raw_, built as the flags say; what must be built as it must be."""
    copts = binary_kwargs.pop("copts", HIGHMEM_COPTS)
    features = binary_kwargs.pop("features", [])
    cc_binary(
        name = name + "_raw_",
        testonly = True,
        copts = copts,
        features = features + ["libfuzzer_main"],
        linkstatic = True,
        tags = tags,
        deps = binary_kwargs.pop("deps", []) + [engine],
        **binary_kwargs
    )
    variant_binary(
        name = name + "_bin",
        testonly = True,
        binary = ":%s_raw_" % name,
        mode = "opt",
        sanitizers = _SANITIZERS,
        tags = tags,
    )
    variant_binary(
        name = name + "_oss_fuzz_bin_",
        testonly = True,
        binary = ":%s_raw_" % name,
        mode = "opt",
        sanitizers = _OSS_FUZZ_SANITIZERS,
        tags = tags,
    )

def _data(name, corpus, dicts, tags):
    """NAME_corpus, NAME_dict (if there are dicts) and NAME_options."""
    fuzz_corpus(
        name = name + "_corpus",
        testonly = True,
        srcs = corpus or [],
        tags = tags,
    )
    if dicts:
        fuzz_dictionary(
            name = name + "_dict",
            testonly = True,
            srcs = dicts,
            out = name + ".dict",
            tags = tags,
        )
    fuzz_options(
        name = name + "_options",
        testonly = True,
        src = _OPTIONS,
        out = name + ".options",
        tags = tags,
    )

def cc_fuzz_test(
        name,
        corpus = None,
        dicts = None,
        engine = "//fuzz/engine",
        size = None,
        tags = None,
        timeout = None,
        **binary_kwargs):
    """A fuzz target, its regression test and its tools.

    Targets:
      NAME: a test that replays the seeds with ASan and UBSan.
      NAME_bin: the libFuzzer binary, ASan+UBSan; takes libFuzzer's own flags.
      NAME_run: a launcher; `bazel run :NAME_run -- --help`.
      NAME_corpus: a directory with the seeds as bytes.
      NAME_dict: NAME.dict, if there are dicts.
      NAME_options: NAME.options, libFuzzer's flags for this target.
      NAME_oss_fuzz: NAME_oss_fuzz.tar, laid out as OSS-Fuzz's $OUT; its
        binary has one sanitizer, ASan unless --config=ubsan-libfuzzer.

    All but the test are tagged manual.

    Args:
      name: of the target; letters, digits, '-' and '_' (OSS-Fuzz's rule).
      corpus: seeds, as `.hmt` programs or as bytes.
      dicts: dictionaries in libFuzzer's format.
      engine: a library with main() or, for libFuzzer, without.
      size: of the test.
      tags: of the test; the other targets get them too. A target that is
        broken on purpose has `no-oss-fuzz`.
      timeout: of the test.
      **binary_kwargs: handed on to cc_binary.
    """
    tags = tags or []
    manual = tags + [t for t in ["manual"] if t not in tags]
    _binaries(name, engine, manual, binary_kwargs)
    _data(name, corpus, dicts, manual)
    variant_test(
        name = name,
        size = size or "small",
        timeout = timeout,
        args = ["$(rootpath :%s_corpus)" % name],
        binary = ":%s_raw_" % name,
        data = [":%s_corpus" % name],
        sanitizers = [
            "asan",
            "ubsan",
        ],
        tags = tags + ["fuzz-test"],
    )
    parts = {
        "corpus": ":%s_corpus" % name,
        "dictionary": ":%s_dict" % name if dicts else None,
        "options": ":%s_options" % name,
        "tags": manual,
        "target": name,
        "testonly": True,
    }
    fuzz_launcher(
        name = name + "_run",
        binary = ":%s_bin" % name,
        engine = _ENGINE,
        **parts
    )
    fuzz_oss_fuzz(
        name = name + "_oss_fuzz",
        binary = ":%s_oss_fuzz_bin_" % name,
        out = name + "_oss_fuzz.tar",
        **parts
    )
