/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

/* The windows of one CPU are the local maps of the actor that has it. */

static unsigned int first_window(unsigned int cpu)
{
	return FIX_KMAP_BEGIN + cpu * KM_MAX_IDX;
}

/* One bit for each that is not empty. */
static unsigned int windows_in_use(struct exec *exec, unsigned int cpu)
{
	unsigned int first = first_window(cpu);
	unsigned int used = 0;

	if (exec->suspecting)
		return exec->seen.windows[cpu];
	for (unsigned int w = 0; w < KM_MAX_IDX; w++)
		if (!pte_none(port_pte_read(fixmap_vaddr(first + w))))
			used |= 1U << w;
	return used;
}

/* The window of this CPU that @vaddr is; KM_MAX_IDX or more: none. */
static unsigned int window_at(const void *vaddr)
{
	return virt_to_fix((vaddr_t)vaddr) - first_window(port_cpu_id());
}

/* Which window @map, above @depth others, must have, and which it has. */
static void check_map(struct exec *exec, const struct actor *actor,
		      const struct local_map *map, unsigned int depth,
		      unsigned int *used)
{
	bool nest = subject_promises(SUBJECT_LOCALS_NEST);
	unsigned int window = nest ? depth : window_at(map->vaddr);
	vaddr_t vaddr = fixmap_vaddr(first_window(port_cpu_id()) + window);

	if (window >= KM_MAX_IDX || (vaddr_t)map->vaddr != vaddr ||
	    pte_pfn(port_pte_read(vaddr)) != exec_pfn(exec, map->page))
		exec_fail(exec, "window %u of CPU %u is not %c's map of %c%u",
			  window, machine_this_cpu(),
			  actor_letter(actor->index), PAGE_NAME(map->page));
	else
		*used |= 1U << window;
}

/* Those of the maps are the maps' pages; all others are empty. */
static void check_windows_of(struct exec *exec, const struct actor *actor)
{
	unsigned int depth = 0;
	unsigned int used = 0;
	unsigned int others;

	for (unsigned int i = 0; i < actor->nr_local; i++)
		if (actor->local[i].window)
			check_map(exec, actor, &actor->local[i], depth++,
				  &used);
	/* Nobody moves us to another CPU meanwhile. */
	others = windows_in_use(exec, port_cpu_id()) & ~used;
	if (others != 0)
		exec_fail(exec,
			  "window %u of CPU %u is not empty above %c's depth",
			  (unsigned int)__builtin_ctz(others),
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

/*
 * What this CPU's windows lead to, as one number: an interrupt leaves them as it
 * found them, whatever it has cut in two. Not while stores wait in a buffer.
 */
static uint32_t frames_now(void)
{
	unsigned int first = first_window(port_cpu_id());
	uint32_t sum = 0;

	for (unsigned int w = 0; w < KM_MAX_IDX; w++) {
		pte_t pte = port_pte_read(fixmap_vaddr(first + w));

		if (!pte_none(pte))
			sum += (pte_pfn(pte) + 1) * 0x9e3779b1U << w;
	}
	return sum;
}

void oracle_handler_begins(struct exec *exec, struct actor *actor)
{
	if (exec->hm && the_subject.windows)
		return; /* it says how many there are */
	actor->frames_known = exec_freeze(exec, true);
	actor->frames_below = frames_now();
	exec_freeze(exec, false);
}

/* As the subject sees it: so many are claimed, and no other has a page. */
static void check_depth(struct exec *exec, const struct actor *actor)
{
	unsigned int below = actor->windows_below;
	unsigned int used = windows_in_use(exec, port_cpu_id()) >> below;
	unsigned int depth = the_subject.windows();

	if (depth != below || used != 0)
		exec_fail(exec,
			  "%c's interrupt leaves a local map behind: the depth "
			  "is %u, and was %u",
			  actor_letter(actor->index), depth, below);
}

void oracle_check_handler_left(struct exec *exec, const struct actor *actor)
{
	bool whole = exec_freeze(exec, true) && actor->frames_known;

	if (exec->hm && the_subject.windows)
		check_depth(exec, actor);
	else if (whole && frames_now() != actor->frames_below)
		exec_fail(exec,
			  "%c's interrupt leaves the windows of CPU %u other "
			  "than it found them",
			  actor_letter(actor->index), machine_this_cpu());
	exec_freeze(exec, false);
}
