# SPDX-License-Identifier: MIT
"""A test that a compiler refuses what it must refuse."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

_SCRIPT = """#!/bin/sh
# Compiles one file again and again, as the toolchain does.
set -u
log=$TEST_TMPDIR/log
failed=0

compile()
{{
	{command} -fsyntax-only "$1" {source} 2>"$log"
}}

accepted()
{{
	compile "$1" && return
	echo "$1: should compile, but:"
	cat "$log"
	failed=1
}}

refused()
{{
	if compile "$1"; then
		echo "$1: should not compile"
		failed=1
	elif ! grep -q -e {message} "$log"; then
		echo "$1: refused, but for another reason:"
		cat "$log"
		failed=1
	fi
}}

{cases}
exit $failed
"""

def _quote(word):
    return "'" + word.replace("'", "'\\''") + "'"

def _compile_command(ctx, context):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features + ["layering_check", "module_maps"],
    )
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        user_compile_flags = ctx.attr.copts,
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
    )
    return [cc_common.get_tool_for_action(
        feature_configuration = features,
        action_name = ACTION_NAMES.c_compile,
    )] + cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = ACTION_NAMES.c_compile,
        variables = variables,
    )

def _compile_error_test_impl(ctx):
    context = cc_common.merge_cc_infos(
        cc_infos = [d[CcInfo] for d in ctx.attr.deps],
    ).compilation_context
    command = _compile_command(ctx, context)

    # Generated headers are found from the execution root; a test runs in its
    # runfiles, where the same files lie without bazel-out/CONFIG/bin.
    bin_dir = ctx.bin_dir.path
    command = [w.replace(bin_dir + "/", "").replace(bin_dir, ".") for w in command]
    cases = ["accepted " + _quote("-D" + d) for d in ctx.attr.accepted]
    cases += ["refused " + _quote("-D" + d) for d in ctx.attr.refused]
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(
        output = script,
        content = _SCRIPT.format(
            cases = "\n".join(cases),
            command = " ".join([_quote(w) for w in command]),
            message = _quote(ctx.attr.message),
            source = _quote(ctx.file.src.short_path),
        ),
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        runfiles = ctx.runfiles(
            files = [ctx.file.src],
            transitive_files = context.headers,
        ),
    )]

compile_error_test = rule(
    implementation = _compile_error_test_impl,
    attrs = {
        "accepted": attr.string_list(
            doc = "Definitions (NAME=VALUE) with which src compiles.",
            mandatory = True,
        ),
        "copts": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "message": attr.string(
            doc = "What the compiler says about the others.",
            mandatory = True,
        ),
        "refused": attr.string_list(
            doc = "Definitions with which src must not compile.",
            mandatory = True,
        ),
        "src": attr.label(
            allow_single_file = [".c"],
            mandatory = True,
        ),
        "_cc_toolchain": attr.label(
            default = "@bazel_tools//tools/cpp:current_cc_toolchain",
        ),
    },
    doc = "Compiles src with each definition and looks at what happens.",
    fragments = ["cpp"],
    test = True,
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
