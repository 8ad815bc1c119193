# SPDX-License-Identifier: MIT
"""What it takes to link one of the harness's programs with another subject.

A subject that is no part of the tree is compiled when it is asked for, by
subject.py. The rest of the program is built here, and travels in runfiles: its
archives, the headers, and a list of both.
"""

load("//core/build:variant.bzl", "variant_file")

def _archive(library):
    # Either kind can be linked at a fixed address.
    return library.static_library or library.pic_static_library

def _kit_impl(ctx):
    cc = cc_common.merge_cc_infos(
        cc_infos = [target[CcInfo] for target in ctx.attr.deps],
    )
    lines = []
    files = []
    for owner in cc.linking_context.linker_inputs.to_list():
        for library in owner.libraries:
            archive = _archive(library)
            if not archive:
                continue
            whole = "whole" if library.alwayslink else "archive"
            lines.append("%s %s" % (whole, archive.short_path))
            files.append(archive)
    context = cc.compilation_context
    for folder in context.includes.to_list() + context.system_includes.to_list():
        if not folder.startswith("bazel-out/"):
            lines.append("include " + folder)
    kit = ctx.actions.declare_file("kits/%s.kit" % ctx.attr.program)
    ctx.actions.write(kit, "\n".join(lines) + "\n")
    return [DefaultInfo(
        files = depset([kit] + files, transitive = [context.headers]),
    )]

_kit = rule(
    implementation = _kit_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "program": attr.string(),
    },
)

def subject_kit(name, program, deps, **kwargs):
    """kits/PROGRAM.kit and all that is listed in it, built as the explorer is.

    Args:
      name: of the files.
      program: "explore" or "hmt".
      deps: what it consists of, but for a subject.
      **kwargs: handed on to the rule.
    """
    _kit(
        name = name + "_unpinned_",
        testonly = True,
        deps = deps,
        program = program,
        tags = ["manual"],
    )
    variant_file(
        name = name,
        testonly = True,
        srcs = [":%s_unpinned_" % name],
        mode = "opt",
        **kwargs
    )
