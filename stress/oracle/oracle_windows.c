/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

/* The windows of one CPU are the local maps of the actor that has it. */

/* One bit for each that is not empty. */
static unsigned int windows_in_use(struct exec *exec, unsigned int cpu)
{
	unsigned int first = FIX_KMAP_BEGIN + cpu * KM_MAX_IDX;
	unsigned int used = 0;

	if (exec->suspecting)
		return exec->seen.windows[cpu];
	for (unsigned int w = 0; w < KM_MAX_IDX; w++)
		if (!pte_none(port_pte_read(fixmap_vaddr(first + w))))
			used |= 1U << w;
	return used;
}

static void check_map(struct exec *exec, const struct actor *actor,
		      const struct local_map *map, unsigned int window)
{
	unsigned int first = FIX_KMAP_BEGIN + port_cpu_id() * KM_MAX_IDX;
	vaddr_t vaddr = fixmap_vaddr(first + window);
	pfn_t pfn = page_to_pfn(exec->hm, exec_page(exec, map->page));

	if ((vaddr_t)map->vaddr != vaddr ||
	    pte_pfn(port_pte_read(vaddr)) != pfn)
		exec_fail(exec, "window %u of CPU %u is not %c's map of %c%u",
			  window, machine_this_cpu(),
			  actor_letter(actor->index), PAGE_NAME(map->page));
}

/* Below the depth the windows are the maps' pages; above it they are empty. */
static void check_windows_of(struct exec *exec, const struct actor *actor)
{
	unsigned int depth = 0;
	unsigned int above;

	for (unsigned int i = 0; i < actor->nr_local; i++)
		if (actor->local[i].window)
			check_map(exec, actor, &actor->local[i], depth++);
	/* Nobody moves us to another CPU meanwhile. */
	above = windows_in_use(exec, port_cpu_id()) >> depth;
	if (above != 0)
		exec_fail(exec,
			  "window %u of CPU %u is not empty above %c's depth",
			  depth + (unsigned int)__builtin_ctz(above),
			  machine_this_cpu(), actor_letter(actor->index));
}

static void check_no_windows(struct exec *exec)
{
	uint32_t cpus = port_facts()->cpu_mask;

	for (unsigned int c = 0; cpus >> c != 0; c++)
		if ((cpus >> c & 1) && windows_in_use(exec, c) != 0)
			exec_fail(exec,
				  "CPU %u has a local map after all tasks have "
				  "ended",
				  c);
}

void oracle_check_windows(struct exec *exec, const struct actor *actor)
{
	if (!actor)
		check_no_windows(exec);
	else if (!is_handler(actor))
		check_windows_of(exec, actor);
}

void oracle_check_handler_left(struct exec *exec, const struct actor *actor)
{
	struct kmap_ctrl *ctrl = port_task_kmap_ctrl(port_task_current());
	unsigned int below = actor->windows_below;
	unsigned int used;

	exec_freeze(exec, true);
	used = windows_in_use(exec, port_cpu_id()) >> below;
	if (port_atomic_load(&ctrl->depth) != below || used != 0)
		exec_fail(exec,
			  "%c's interrupt leaves a local map behind: the depth "
			  "is %u, and was %u",
			  actor_letter(actor->index),
			  port_atomic_load(&ctrl->depth), below);
	exec_freeze(exec, false);
}
