# SPDX-License-Identifier: MIT
"""sh_library, by the label that newer Bazels want; 4.2 has it built in."""

sh_library = native.sh_library
