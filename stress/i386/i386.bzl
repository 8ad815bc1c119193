# SPDX-License-Identifier: MIT
"""How programs with 32-bit pointers are built: all alike, to share objects."""

load("//core/build:variant.bzl", "variant_binary", "variant_test")

_SANITIZERS = [
    "asan",
    "ubsan",
]

def i386_test(name, **kwargs):
    """A variant_test() with 32-bit pointers."""
    variant_test(
        name = name,
        platform = "i386",
        sanitizers = _SANITIZERS,
        **kwargs
    )

def i386_binary(name, **kwargs):
    """A variant_binary() with 32-bit pointers."""
    variant_binary(
        name = name,
        platform = "i386",
        sanitizers = _SANITIZERS,
        **kwargs
    )
