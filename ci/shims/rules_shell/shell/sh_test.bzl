# SPDX-License-Identifier: MIT
"""sh_test, by the label that newer Bazels want; 4.2 has it built in."""

sh_test = native.sh_test
