# SPDX-License-Identifier: MIT
"""The rules behind cc_fuzz_test (../fuzz.bzl)."""

_PYTHON = "/usr/bin/python3"

_PACK = attr.label(
    default = "//fuzz/engine:pack.py",
    allow_single_file = True,
)

def _pack(ctx, verb, args, inputs, output, tools = []):
    ctx.actions.run(
        executable = _PYTHON,
        arguments = ["-B", ctx.file._pack.path, verb, output.path] + args,
        inputs = inputs + [ctx.file._pack],
        outputs = [output],
        tools = tools,
        mnemonic = "Fuzz" + verb.replace("_", "").capitalize(),
        progress_message = "Packing %s" % output.short_path,
    )
    return [DefaultInfo(
        files = depset([output]),
        runfiles = ctx.runfiles(files = [output]),
    )]

def _corpus_impl(ctx):
    out = ctx.actions.declare_directory(ctx.label.name)
    args = [ctx.executable._hmt.path] + [f.path for f in ctx.files.srcs]
    return _pack(ctx, "corpus", args, ctx.files.srcs, out, [ctx.executable._hmt])

fuzz_corpus = rule(
    implementation = _corpus_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = True),
        "_hmt": attr.label(
            default = "//stress/hmt",
            cfg = "exec",
            executable = True,
        ),
        "_pack": _PACK,
    },
    doc = """A directory of seeds: `.hmt` programs encoded, other files as they are.

Without srcs it holds one empty input, as in rules_fuzzing.""",
)

def _dictionary_impl(ctx):
    args = [f.path for f in ctx.files.srcs]
    return _pack(ctx, "dict", args, ctx.files.srcs, ctx.outputs.out)

fuzz_dictionary = rule(
    implementation = _dictionary_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = True),
        "out": attr.output(mandatory = True),
        "_pack": _PACK,
    },
    doc = "Checks dictionaries and joins them into one.",
)

def _options_impl(ctx):
    ctx.actions.expand_template(
        output = ctx.outputs.out,
        substitutions = {},
        template = ctx.file.src,
    )
    return [DefaultInfo(
        files = depset([ctx.outputs.out]),
        runfiles = ctx.runfiles(files = [ctx.outputs.out]),
    )]

fuzz_options = rule(
    implementation = _options_impl,
    attrs = {
        "src": attr.label(allow_single_file = True, mandatory = True),
        "out": attr.output(mandatory = True),
    },
    doc = "libFuzzer's flags for a target, in OSS-Fuzz's `.options` format.",
)

def _oss_fuzz_impl(ctx):
    args = [ctx.attr.target, ctx.executable.binary.path]
    inputs = [ctx.executable.binary]
    for option, attribute in [
        ("--corpus", ctx.files.corpus),
        ("--dict", ctx.files.dictionary),
        ("--options", ctx.files.options),
    ]:
        args += ["%s=%s" % (option, f.path) for f in attribute]
        inputs = inputs + attribute
    return _pack(ctx, "oss_fuzz", args, inputs, ctx.outputs.out)

fuzz_oss_fuzz = rule(
    implementation = _oss_fuzz_impl,
    attrs = {
        "binary": attr.label(cfg = "target", executable = True),
        "corpus": attr.label(),
        "dictionary": attr.label(),
        "options": attr.label(),
        "out": attr.output(mandatory = True),
        "target": attr.string(),
        "_pack": _PACK,
    },
    doc = "A .tar in the layout of OSS-Fuzz's $OUT.",
)

_LAUNCHER = """#!/bin/sh
# Sets what rules_fuzzing's engine contract names, and starts the launcher.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
runfiles="${{RUNFILES_DIR:-$here/$(basename "$0").runfiles}}/{workspace}"
export FUZZER_TARGET={target}
export FUZZER_ENGINE={engine}
export FUZZER_BINARY="$runfiles/{binary}"
export FUZZER_SEED_CORPUS_DIR="$runfiles/{corpus}"
export FUZZER_DICTIONARY_PATH="{dictionary}"
export FUZZER_OPTIONS_PATH="$runfiles/{options}"
exec {python} -B "$runfiles/{launcher}" "$@"
"""

def _launcher_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name)
    dictionary = ctx.files.dictionary
    ctx.actions.write(out, is_executable = True, content = _LAUNCHER.format(
        binary = ctx.executable.binary.short_path,
        corpus = ctx.files.corpus[0].short_path,
        engine = ctx.attr.engine,
        dictionary = "$runfiles/" + dictionary[0].short_path if dictionary else "",
        launcher = ctx.files._launcher[0].short_path,
        options = ctx.files.options[0].short_path,
        python = _PYTHON,
        target = ctx.attr.target,
        workspace = ctx.workspace_name,
    ))
    files = ctx.files.corpus + dictionary + ctx.files.options + ctx.files._launcher
    runfiles = ctx.runfiles(files = files + [ctx.executable.binary])
    return [DefaultInfo(
        executable = out,
        runfiles = runfiles.merge(ctx.attr.binary[DefaultInfo].default_runfiles),
    )]

fuzz_launcher = rule(
    implementation = _launcher_impl,
    attrs = {
        "binary": attr.label(cfg = "target", executable = True),
        "corpus": attr.label(),
        "dictionary": attr.label(),
        "engine": attr.string(values = ["libfuzzer", "replay"]),
        "options": attr.label(),
        "target": attr.string(),
        "_launcher": attr.label_list(
            default = [
                "//fuzz/engine:launcher.py",
                "//fuzz/engine:corpus_dir.py",
                "//ci/lib/command:python",
            ],
            allow_files = True,
        ),
    },
    doc = "`bazel run //fuzz:NAME_run -- [flags]`",
    executable = True,
)
