# SPDX-License-Identifier: MIT
"""Targets pinned to a sanitizer, a platform, a compilation mode.

One plain `bazel test //...` has to run host tests, ASan replays, TSan jobs
and an i686 kernel.  So a target says here how it must be built, and its whole
dependency tree is built that way whatever the flags of the command:

    cc_binary(name = "torture", ...)
    variant_test(
        name = "torture_tsan_test",
        binary = ":torture",
        sanitizers = ["tsan"],
        mode = "opt",
        args = ["--seconds=5"],
    )

A variant replaces sanitizers asked for by a --config; it never adds to them.
"""

# How each sanitizer is asked for, and how the program learns that it was: the
# two go different ways (toolchain feature, compiler option), so that
# stress/process/instrumented.c can tell when the first got lost.
_SANITIZERS = {
    "asan": "-DREQUIRE_ASAN",
    "libfuzzer": "-DREQUIRE_LIBFUZZER",
    "tsan": "-DREQUIRE_TSAN",
    "ubsan": "-DREQUIRE_UBSAN",
}

_PLATFORMS = {
    "host": "//ci/platforms:host",
    "i386": "//ci/platforms:i386",
    "i686": "//ci/platforms:i686",
}

_FEATURES = "//command_line_option:features"
_COPT = "//command_line_option:copt"
_MODE = "//command_line_option:compilation_mode"
_PLATFORM = "//command_line_option:platforms"

def _pin(settings, attr):
    wanted = sorted(attr.sanitizers)
    kept = [f for f in settings[_FEATURES] if f not in _SANITIZERS]
    required = _SANITIZERS.values()
    copts = [c for c in settings[_COPT] if c not in required]
    return {
        _FEATURES: kept + wanted,
        _COPT: copts + [_SANITIZERS[s] for s in wanted],
        _MODE: attr.mode or settings[_MODE],
        _PLATFORM: [_PLATFORMS[attr.platform]],
    }

_pinned = transition(
    implementation = _pin,
    inputs = [_FEATURES, _COPT, _MODE],
    outputs = [_FEATURES, _COPT, _MODE, _PLATFORM],
)

def _check(ctx):
    for s in ctx.attr.sanitizers:
        if s not in _SANITIZERS:
            fail("sanitizers: '%s' is none of %s" % (s, ", ".join(_SANITIZERS)))

def _executable_impl(ctx):
    _check(ctx)
    binary = ctx.attr.binary[0]
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = executable,
        target_file = ctx.executable.binary,
        is_executable = True,
    )
    runfiles = ctx.runfiles(files = ctx.files.data)
    for target in [binary] + ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    providers = [
        DefaultInfo(
            executable = executable,
            files = depset([executable]),
            runfiles = runfiles,
        ),
        coverage_common.instrumented_files_info(
            ctx,
            dependency_attributes = ["binary"],
        ),
    ]
    if ctx.attr.env:
        providers.append(testing.TestEnvironment(ctx.attr.env))
    return providers

def _file_impl(ctx):
    _check(ctx)
    files = depset(transitive = [t[DefaultInfo].files for t in ctx.attr.srcs])
    return [DefaultInfo(
        files = files,
        runfiles = ctx.runfiles(transitive_files = files),
    )]

_PIN = {
    "mode": attr.string(
        doc = "Compilation mode; empty: that of the command line.",
        values = ["", "dbg", "fastbuild", "opt"],
    ),
    "platform": attr.string(
        default = "host",
        values = _PLATFORMS.keys(),
    ),
    "sanitizers": attr.string_list(
        doc = "Any of asan, ubsan, tsan, libfuzzer.",
    ),
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}

_EXECUTABLE = dict(
    _PIN,
    binary = attr.label(
        cfg = _pinned,
        executable = True,
        mandatory = True,
    ),
    data = attr.label_list(
        doc = "Run-time files, not pinned; `args` may $(location) them.",
        allow_files = True,
    ),
    env = attr.string_dict(
        doc = "Environment under `bazel test`.",
    ),
)

variant_test = rule(
    implementation = _executable_impl,
    attrs = dict(
        _EXECUTABLE,
        # Bazel's name for what collects `bazel coverage` of a test.
        _lcov_merger = attr.label(
            cfg = "exec",
            default = "@bazel_tools//tools/test:lcov_merger",
            executable = True,
        ),
    ),
    doc = "A test whose binary is built in a pinned way.",
    test = True,
)

variant_binary = rule(
    implementation = _executable_impl,
    attrs = _EXECUTABLE,
    doc = "A binary built in a pinned way.",
    executable = True,
)

variant_file = rule(
    implementation = _file_impl,
    attrs = dict(
        _PIN,
        srcs = attr.label_list(
            cfg = _pinned,
            mandatory = True,
        ),
    ),
    doc = "The output files of targets built in a pinned way.",
)
