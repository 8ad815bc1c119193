/* SPDX-License-Identifier: MIT */
#ifndef STRESS_SUBJECTS_LINUX_LINUX_H
#define STRESS_SUBJECTS_LINUX_LINUX_H

/* What services.c and subject.c tell each other. */

#include <highmem/highmem.h>

#include "core/ports/sim/sim.h"
#include "stress/subjects/linux/cross.h"

/* The machine as it was booted, and the subject's state in the core's words. */
extern struct highmem linux_state;

/* While a CPU switches, `current` is this one; NULL: the one that runs. */
extern struct port_task *linux_switching;

static inline unsigned int linux_task_of(const struct port_task *task)
{
	return task == &sim.controller ? 0 : task->id;
}

#endif
