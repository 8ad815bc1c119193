# SPDX-License-Identifier: MIT
"""What each folder shows of its files, without a target for each reader."""

def files():
    """For stress/mutate, ci/oss-fuzz, ci/lib/docs and whoever else reads files.

    Each file goes by its label. Targets: `files`, all C but tests and what they
    share; `documents`, whose outputs are compared with what programs print.
    """
    native.exports_files(
        native.glob(
            ["*"],
            exclude = ["BUILD"],
            exclude_directories = 1,
        ),
        visibility = ["//visibility:public"],
    )
    native.filegroup(
        name = "files",
        srcs = native.glob(
            [
                "*.c",
                "*.h",
            ],
            exclude = [
                "*_test.c",
                "test_*.h",
            ],
        ),
        visibility = ["//visibility:public"],
    )
    native.filegroup(
        name = "documents",
        srcs = native.glob(["**/*.md"]),
        visibility = ["//ci:__subpackages__"],
    )
