/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

/*
 * Which pages somebody uses, and what a flush must leave of the others:
 * nothing, in no page table and in no TLB.
 *
 * A use of a page begins before the call that asks for a map and ends after
 * the one that undoes it, so it covers all that these two do. Each actor counts
 * its own; all that have begun minus all that have ended are under way. A page
 * was not used at any moment of a call if no use was under way when it began,
 * and none had begun when it returned. On threads the counts of others are read
 * as they come: a use that we do not see yet has not mapped anything that we
 * see, because we look at the page tables first.
 *
 * A kunmap() is in two steps, and a flush that comes between them must not pass
 * the page over: it has no user any more. When the first step is done only the
 * core can say. If all uses under way are in their kunmap(), and the page's
 * count has no user, it is done in all of them.
 */

void oracle_use_begins(struct actor *actor, unsigned int page)
{
	port_stat_inc(&actor->uses_begun[page]);
}

void oracle_use_ending(struct actor *actor, unsigned int page)
{
	port_stat_inc(&actor->uses_ending[page]);
}

void oracle_use_ends(struct actor *actor, unsigned int page)
{
	port_stat_inc(&actor->uses_ended[page]);
}

static uint32_t uses_begun(const struct exec *exec, unsigned int page)
{
	uint32_t sum = 0;

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		sum += port_stat_read(&exec->actors[a].uses_begun[page]);
	return sum;
}

/* The ends first: a use that begins meanwhile is not taken for one that ended. */
bool oracle_is_used(const struct exec *exec, unsigned int page)
{
	uint32_t ended = 0;

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		ended += port_stat_read(&exec->actors[a].uses_ended[page]);
	return uses_begun(exec, page) != ended;
}

/*
 * All uses of @page are over, or in a kunmap() that has let go of it. From outside
 * nobody can tell the moment when it does.
 */
static bool is_let_go(const struct exec *exec, unsigned int page)
{
	const port_atomic_t *word;
	uint32_t ending = 0;

	if (!exec->hm)
		return false;
	word = &the_subject.look()->config.mem_map[page].pkmap;
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		ending += port_stat_read(&exec->actors[a].uses_ending[page]);
	return uses_begun(exec, page) == ending &&
	       pkmap_word_count(port_atomic_load(word)) <= 1;
}

void oracle_unused_begin(const struct exec *exec, struct unused *unused)
{
	/* A count that waits in a store buffer is not yet what others see. */
	bool whole = exec_freeze(exec, true);

	unused->pages = 0;
	for (unsigned int p = MACHINE_LOWMEM_PAGES; p < exec_nr_pages(exec);
	     p++) {
		unused->begun[p] = uses_begun(exec, p);
		if (!oracle_is_used(exec, p) || (whole && is_let_go(exec, p)))
			unused->pages |= UINT32_C(1) << p;
	}
	exec_freeze(exec, false);
}

uint32_t oracle_unused_so_far(const struct exec *exec,
			      const struct unused *unused)
{
	uint32_t pages = unused->pages;

	for (unsigned int p = MACHINE_LOWMEM_PAGES; p < exec_nr_pages(exec);
	     p++)
		if (uses_begun(exec, p) != unused->begun[p])
			pages &= ~(UINT32_C(1) << p);
	return pages;
}

/* ---- After a flush ------------------------------------------------------------- */

static bool is_one_of(struct exec *exec, const struct unused *unused, pfn_t pfn,
		      unsigned int *index)
{
	*index = machine_page_index(exec->config, pfn);
	return *index < PROGRAM_MAX_PAGES &&
	       (oracle_unused_so_far(exec, unused) >> *index & 1);
}

/* The words of machine_audit(), which may be too late or too early to see it. */
static void check_tlbs(struct exec *exec, const struct unused *unused,
		       vaddr_t vaddr, pte_t pte)
{
	unsigned int page;
	pfn_t pfn;

	for (unsigned int c = 0; c < exec->program->machine.nr_cpus; c++)
		if (machine_tlb_has(c, vaddr, &pfn) &&
		    is_one_of(exec, unused, pfn, &page))
			exec_fail(exec,
				  "stale TLB entry: CPU %u still has pfn %x at "
				  "%p, the PTE says %s %x",
				  c, pfn, vaddr,
				  pte_present(pte) ? "pfn" : "none",
				  pte_pfn(pte));
}

static void check_slot(struct exec *exec, const struct unused *unused,
		       const struct actor *actor, unsigned int slot)
{
	vaddr_t vaddr = exec->config->pkmap_base + slot * PAGE_SIZE;
	pte_t pte = port_pte_read(vaddr);
	unsigned int page;

	if (pte_present(pte) && is_one_of(exec, unused, pte_pfn(pte), &page))
		exec_fail(exec,
			  "%c%u outlives %c's flush: nobody used it meanwhile, "
			  "and the PTE of slot %u still shows it",
			  PAGE_NAME(page), actor_letter(actor->index), slot);
	check_tlbs(exec, unused, vaddr, pte);
}

void oracle_flush_returned(struct exec *exec, const struct unused *unused,
			   const struct actor *actor)
{
	unsigned int nr_slots = exec->config->nr_slots;

	/* Stores that wait in a buffer are none of what a flush promises. */
	if (exec_freeze(exec, true) && unused->pages != 0)
		for (unsigned int s = 0; s < nr_slots; s++)
			check_slot(exec, unused, actor, s);
	exec_freeze(exec, false);
}
