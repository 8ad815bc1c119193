/* SPDX-License-Identifier: MIT */
#ifndef CORE_PORTS_I686_STACKS_H
#define CORE_PORTS_I686_STACKS_H

/* All stacks, each above a page that is not mapped. */

#include "core/port/machine.h"

#define I686_STACK_BYTES (32 * 1024)

struct i686_stack {
	unsigned char guard[PAGE_SIZE];
	uint32_t words[I686_STACK_BYTES / sizeof(uint32_t)];
};

/*
 * The boot CPU has stack 0, see boot.S; task n stack n; and then come those of
 * the other CPUs: CPU n has MACHINE_MAX_TASKS + n.
 */
extern struct i686_stack i686_stacks[MACHINE_MAX_TASKS + HIGHMEM_MAX_CPUS];

#endif
