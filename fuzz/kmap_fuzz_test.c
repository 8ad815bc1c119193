/* SPDX-License-Identifier: MIT */

/* Persistent maps, and everything else that may happen beside them. */

#include "fuzz/fuzz_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_program(data, size, FUZZ_ALL_KINDS);
}
