/* SPDX-License-Identifier: MIT */

/*
 * Local maps alone: nesting, interrupts in between, tasks that share a CPU.
 * Without the persistent maps, inputs go deeper into these.
 */

#include "fuzz/fuzz_program.h"
#include "stress/program/program.h"

#define BIT(kind) (UINT32_C(1) << (kind))

static const uint32_t local_kinds = BIT(OP_LOCAL) | BIT(OP_ATOMIC) |
				    BIT(OP_UNLOCAL) | BIT(OP_MISORDER) |
				    BIT(OP_WRITE) | BIT(OP_CHECK) |
				    BIT(OP_RAISE) | BIT(OP_YIELD) |
				    BIT(OP_STRAY);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_program(data, size, local_kinds);
}
