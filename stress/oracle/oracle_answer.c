/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

/* What the core says, and what an address shows, of pages that are not ours. */

bool oracle_is_slot_for(const struct exec *exec, unsigned int page,
			vaddr_t vaddr)
{
	const struct highmem_config *config = exec->config;
	vaddr_t slot = (vaddr - config->pkmap_base) >> PAGE_SHIFT;

	return vaddr >= config->pkmap_base && slot < config->nr_slots &&
	       vaddr % PAGE_SIZE == 0 &&
	       (slot & (config->nr_colours - 1)) == exec_colour(exec, page);
}

/* As the MMU goes: does @vaddr lead to @page? */
bool oracle_leads_to(const struct exec *exec, vaddr_t vaddr, unsigned int page)
{
	pte_t pte = port_pte_read(vaddr);

	return pte_present(pte) && pte_pfn(pte) == exec_pfn(exec, page);
}

void oracle_check_address(struct exec *exec, const struct actor *actor,
			  unsigned int page, const void *vaddr)
{
	bool whole;

	if (page < MACHINE_LOWMEM_PAGES) {
		oracle_check_content(exec, actor, page, vaddr);
		return;
	}
	if (actor->held[page] > 0 && vaddr != actor->address[page])
		exec_fail(exec,
			  "page_address of %c%u is %p, but %c has it at %p",
			  PAGE_NAME(page), (vaddr_t)vaddr,
			  actor_letter(actor->index),
			  (vaddr_t)actor->address[page]);
	if (!vaddr)
		return;
	if (!oracle_is_slot_for(exec, page, (vaddr_t)vaddr)) {
		exec_fail(exec, "page_address of %c%u is %p: no slot for it",
			  PAGE_NAME(page), (vaddr_t)vaddr);
		return;
	}
	/* A moment later it may be wrong, if others go on meanwhile. */
	whole = exec_freeze(exec, true);
	if (whole && !exec->options->parallel && actor->alone &&
	    oracle_at_rest(exec, actor) &&
	    !oracle_leads_to(exec, (vaddr_t)vaddr, page))
		exec_fail(exec, "page_address of %c%u is %p: another is there",
			  PAGE_NAME(page), (vaddr_t)vaddr);
	exec_freeze(exec, false);
}

/* ---- Use after unmap --------------------------------------------------------------- */

static bool is_a_tag(const struct exec *exec, uint32_t word)
{
	unsigned int nr = exec->config->nr_pages;
	unsigned int p = 0;

	while (p < nr && p < PROGRAM_MAX_PAGES && word != oracle_page_tag(p))
		p++;
	return p < nr && p < PROGRAM_MAX_PAGES;
}

/* What an access through @pte must show: its page, or a fault. */
static bool shows(struct exec *exec, pte_t pte, bool fault, uint32_t word)
{
	uint32_t page;

	if (!pte_present(pte) || fault)
		return fault && !pte_present(pte);
	page = machine_page_index(exec->config, pte_pfn(pte));
	return page != UINT32_MAX && word == oracle_page_tag(page);
}

bool oracle_read_stale(struct exec *exec, const struct actor *actor,
		       unsigned int page, const void *vaddr)
{
	bool whole = exec_freeze(exec, true);
	bool rest = whole && subject_promises(SUBJECT_NO_STALE_TLB) &&
		    oracle_at_rest(exec, actor);
	pte_t pte = port_pte_read((vaddr_t)vaddr);
	uint32_t word = machine_load32(vaddr);
	bool fault = oracle_take_report(exec, "page fault at ") != NULL;

	exec_freeze(exec, false);
	if (rest ? !shows(exec, pte, fault, word)
		 : !fault && !is_a_tag(exec, word))
		exec_fail(exec,
			  "%c had %c%u at %p, where the PTE says %s %x now, "
			  "and %s %x there",
			  actor_letter(actor->index), PAGE_NAME(page),
			  (vaddr_t)vaddr, pte_present(pte) ? "pfn" : "none",
			  pte_pfn(pte),
			  fault ? "has a fault instead of" : "reads", word);
	return !fault;
}
