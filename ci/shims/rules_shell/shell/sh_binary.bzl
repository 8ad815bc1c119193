# SPDX-License-Identifier: MIT
"""sh_binary, by the label that newer Bazels want; 4.2 has it built in."""

sh_binary = native.sh_binary
