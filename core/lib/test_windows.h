/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_LIB_TEST_WINDOWS_H
#define HIGHMEM_LIB_TEST_WINDOWS_H

/* The windows of a small machine, and the calling task's share of them. */

#include "core/lib/test_machine.h"

#include "core/ports/sim/sim.h"

static struct highmem *hm;

static inline void *window(unsigned int cpu, unsigned int depth)
{
	return (void *)kmap_window(cpu, depth);
}

static inline const struct kmap_ctrl *my_ctrl(void)
{
	return port_task_kmap_ctrl(port_task_current());
}

static inline uint32_t my_depth(void)
{
	return port_atomic_load(&my_ctrl()->depth);
}

/* Each page's first word is its number, plus 100. */
static inline void boot_local(struct machine_config config)
{
	hm = boot(config);
	for (unsigned int i = 0; i < sim.config.nr_pages; i++)
		machine_poke32(high(hm, i), 0, 100 + i);
}

#define SMALL ((struct machine_config){ .local_depth = 4 })

#endif
