# SPDX-License-Identifier: MIT
"""The one list of warnings, for every C and C++ target of the tree.

-Wredundant-decls is left out on purpose: the port contract declares what a
port's inline functions have already defined, and that is how it is checked.
"""

HIGHMEM_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wpedantic",
    "-Wcast-align",
    "-Wcast-qual",
    "-Wconditional-uninitialized",
    "-Wdate-time",
    "-Wdouble-promotion",
    "-Wformat=2",
    "-Wimplicit-fallthrough",
    "-Wimplicit-int-conversion",
    "-Wmissing-declarations",
    "-Wmissing-prototypes",
    "-Wpointer-arith",
    "-Wshadow",
    "-Wshorten-64-to-32",
    "-Wstrict-prototypes",
    "-Wthread-safety",
    "-Wundef",
    "-Wunused-macros",
    "-Wvla",
    "-Wwrite-strings",
    # Kernel code lives on these, and every one is checked elsewhere.
    "-Wno-gnu-statement-expression",
    "-Wno-gnu-zero-variadic-macro-arguments",
]
