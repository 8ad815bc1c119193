/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

/*
 * The subject judged from outside: by page tables and TLBs, by its answers, and
 * by what the actors hold, which the model knows. Nothing of its own is read.
 *
 * How many slots are taken is known only within bounds. Where each page has one
 * address, it is the pages that somebody holds; else each map may have a slot of
 * its own. Idle slots are taken to be had: any subject takes them back.
 */

static unsigned int users_of(const struct exec *exec, unsigned int page)
{
	unsigned int users = 0;

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		users += exec->actors[a].held[page];
	return users;
}

static unsigned int slots_of_colour(const struct exec *exec)
{
	return exec->config->nr_slots / exec->config->nr_colours;
}

/* At most so many are held. */
static unsigned int slots_held(const struct exec *exec, unsigned int colour)
{
	unsigned int held = 0;

	for (unsigned int p = MACHINE_LOWMEM_PAGES; p < exec_nr_pages(exec);
	     p++) {
		unsigned int users = users_of(exec, p);

		if (exec_colour(exec, p) != colour || users == 0)
			continue;
		held += subject_promises(SUBJECT_ONE_ADDRESS) ? 1 : users;
	}
	return held;
}

static bool waits_for_colour(const struct exec *exec, unsigned int task,
			     unsigned int colour)
{
	const struct actor *actor = &exec->actors[task];

	return !actor->ended && actor->waits_for >= MACHINE_LOWMEM_PAGES &&
	       exec_colour(exec, (unsigned int)actor->waits_for) == colour;
}

uint32_t oracle_sleepers(const struct exec *exec, unsigned int colour)
{
	uint32_t tasks = 0;

	for (unsigned int t = 0; t < exec->program->nr_tasks; t++)
		if (waits_for_colour(exec, t, colour) &&
		    machine_task_asleep(exec->actors[t].id))
			tasks |= 1U << t;
	return tasks;
}

/* Who is awake in a kmap() may have a slot already, or be about to. */
static unsigned int slots_on_their_way(const struct exec *exec,
				       unsigned int colour)
{
	unsigned int nr = 0;

	for (unsigned int t = 0; t < exec->program->nr_tasks; t++)
		nr += waits_for_colour(exec, t, colour);
	return nr -
	       (unsigned int)__builtin_popcount(oracle_sleepers(exec, colour));
}

static bool is_slot_left(const struct exec *exec, unsigned int colour)
{
	return slots_held(exec, colour) + slots_on_their_way(exec, colour) <
	       slots_of_colour(exec);
}

/* ---- Who waits --------------------------------------------------------------------- */

static bool sleeps_on(const struct actor *actor)
{
	return actor->op && actor->op->kind == OP_KILLABLE &&
	       port_signal_pending(actor->task);
}

static void check_sleeper(struct exec *exec, const struct actor *actor)
{
	unsigned int page = (unsigned int)actor->waits_for;
	unsigned int colour = exec_colour(exec, page);

	if (actor->op && actor->op->kind == OP_TRY)
		exec_fail(exec, "task %c waits in kmap_try",
			  actor_letter(actor->index));
	else if (is_slot_left(exec, colour))
		exec_fail(exec,
			  "lost wake-up: task %c sleeps on colour %u while %u "
			  "of its %u slots are held",
			  actor_letter(actor->index), colour,
			  slots_held(exec, colour), slots_of_colour(exec));
	else if (subject_promises(SUBJECT_WAITERS_SHARE) &&
		 users_of(exec, page) > 0)
		exec_fail(exec,
			  "lost wake-up: task %c sleeps on colour %u while its "
			  "page is mapped",
			  actor_letter(actor->index), colour);
	else if (sleeps_on(actor))
		exec_fail(exec,
			  "task %c sleeps on in kmap_killable, though a signal "
			  "has come",
			  actor_letter(actor->index));
}

bool oracle_check_sleepers(struct exec *exec)
{
	for (unsigned int c = 0; c < exec->config->nr_colours; c++)
		for (uint32_t left = oracle_sleepers(exec, c); left != 0;
		     left &= left - 1)
			check_sleeper(exec, &exec->actors[__builtin_ctz(left)]);
	return !exec_failed(exec);
}

/* Whoever waits, goes first: a newcomer is right to say no. */
void oracle_refused_outside(struct exec *exec, unsigned int page)
{
	unsigned int colour = exec_colour(exec, page);

	if (subject_promises(SUBJECT_ONE_ADDRESS) && users_of(exec, page) > 0)
		exec_fail(exec, "kmap_try refused %c%u, which is mapped",
			  PAGE_NAME(page));
	if (oracle_sleepers(exec, colour) == 0 && is_slot_left(exec, colour))
		exec_fail(exec,
			  "kmap_try refused %c%u, but %u of %u slots are held",
			  PAGE_NAME(page), slots_held(exec, colour),
			  slots_of_colour(exec));
}

/* ---- What is mapped ------------------------------------------------------------------ */

static void check_map(struct exec *exec, const struct actor *actor,
		      unsigned int page, const void *vaddr)
{
	if (!oracle_is_slot_for(exec, page, (vaddr_t)vaddr))
		exec_fail(exec, "%c has %c%u at %p: no slot for it",
			  actor_letter(actor->index), PAGE_NAME(page),
			  (vaddr_t)vaddr);
	else if (!oracle_leads_to(exec, (vaddr_t)vaddr, page))
		exec_fail(exec, "%c has %c%u at %p, where the PTE says pfn %x",
			  actor_letter(actor->index), PAGE_NAME(page),
			  (vaddr_t)vaddr,
			  pte_pfn(port_pte_read((vaddr_t)vaddr)));
}

static void check_maps_of(struct exec *exec, const struct actor *actor,
			  unsigned int page)
{
	for (unsigned int i = 0; i < actor->held[page]; i++) {
		check_map(exec, actor, page, actor_address(actor, page, i));
		if (subject_promises(SUBJECT_ONE_ADDRESS))
			break;
	}
}

/* Of a page that nobody holds, an address may be left: then it is right. */
static void check_address(struct exec *exec, unsigned int page)
{
	const void *vaddr = the_subject.ops.page_address(exec_page(exec, page));

	if (vaddr && (!oracle_is_slot_for(exec, page, (vaddr_t)vaddr) ||
		      !oracle_leads_to(exec, (vaddr_t)vaddr, page)))
		exec_fail(exec, "page_address of %c%u is %p: another is there",
			  PAGE_NAME(page), (vaddr_t)vaddr);
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		if (exec->actors[a].held[page] > 0 &&
		    exec->actors[a].address[page] != vaddr)
			exec_fail(exec, "%c%u moved while %c had it mapped",
				  PAGE_NAME(page), actor_letter(a));
}

static void check_page(struct exec *exec, unsigned int page)
{
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		check_maps_of(exec, &exec->actors[a], page);
	if (subject_promises(SUBJECT_ONE_ADDRESS) &&
	    the_subject.ops.page_address)
		check_address(exec, page);
}

void oracle_look_outside(struct exec *exec, const struct actor *actor)
{
	const char *audit = oracle_audit();

	if (audit) {
		exec_fail(exec, "%s", audit);
		return;
	}
	for (unsigned int p = MACHINE_LOWMEM_PAGES; p < exec_nr_pages(exec);
	     p++)
		check_page(exec, p);
	oracle_check_sleepers(exec);
	oracle_check_windows(exec, actor);
}

/* ---- At the end ------------------------------------------------------------------------ */

static void check_flushed(struct exec *exec)
{
	for (unsigned int s = 0; s < exec->config->nr_slots; s++)
		if (!pte_none(port_pte_read(exec->config->pkmap_base +
					    s * PAGE_SIZE)))
			exec_fail(exec,
				  "slot %u is mapped after all tasks have "
				  "ended and a flush",
				  s);
}

static void *map_one(unsigned int page, struct exec *exec)
{
	return the_subject.ops.kmap_try
		       ? the_subject.ops.kmap_try(exec_page(exec, page))
		       : the_subject.ops.kmap(exec_page(exec, page));
}

/* As many pages of each colour as it has slots, if there are so many. */
void oracle_take_all_slots(struct exec *exec)
{
	unsigned int taken[HIGHMEM_MAX_COLOURS] = { 0 };
	void *vaddr[PROGRAM_MAX_PAGES] = { 0 };

	if (the_subject.ops.flush_unused)
		check_flushed(exec);
	for (unsigned int p = MACHINE_LOWMEM_PAGES; p < exec_nr_pages(exec);
	     p++) {
		unsigned int colour = exec_colour(exec, p);

		if (taken[colour] == slots_of_colour(exec))
			continue;
		taken[colour]++;
		vaddr[p] = map_one(p, exec);
		if (!vaddr[p])
			exec_fail(exec,
				  "only %u of %u slots are to be had after all "
				  "tasks have ended",
				  taken[colour] - 1, slots_of_colour(exec));
		else if (machine_load32(vaddr[p]) != oracle_page_tag(p))
			exec_fail(exec,
				  "after all tasks have ended %c%u is not "
				  "at %p, where kmap put it",
				  PAGE_NAME(p), (vaddr_t)vaddr[p]);
	}
	for (unsigned int p = 0; p < exec_nr_pages(exec); p++)
		if (vaddr[p])
			the_subject.ops.kunmap(exec_page(exec, p), vaddr[p]);
	if (the_subject.ops.flush_unused)
		the_subject.ops.flush_unused();
}
