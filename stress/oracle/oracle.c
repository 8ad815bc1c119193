/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

#include <highmem/format.h>

/*
 * What a page holds: its tag in the first and the last word, and one word for
 * each actor, a cache line apart, which only that actor writes.
 */
#define TAG_FIRST 0
#define TAG_LAST (PAGE_SIZE - 4)

uint32_t oracle_page_tag(unsigned int page)
{
	return 0xa6000000u | page << 8 | (page ^ 0x5a);
}

unsigned int oracle_word_offset(const struct actor *actor)
{
	return 64 * (1 + actor->index);
}

void oracle_tag_pages(struct exec *exec)
{
	for (unsigned int p = 0; p < exec->config->nr_pages; p++) {
		machine_poke32(exec_page(exec, p), TAG_FIRST,
			       oracle_page_tag(p));
		machine_poke32(exec_page(exec, p), TAG_LAST,
			       oracle_page_tag(p));
		for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
			machine_poke32(exec_page(exec, p),
				       oracle_word_offset(&exec->actors[a]), 0);
	}
}

static void check_word(struct exec *exec, const struct actor *actor,
		       unsigned int page, const void *vaddr,
		       unsigned int offset, uint32_t want)
{
	uint32_t found = machine_load32((const char *)vaddr + offset);

	if (found != want)
		exec_fail(exec,
			  "%c reads %x at %p, byte %u of %c%u, where %x "
			  "belongs: it sees another page or a lost write",
			  actor_letter(actor->index), found, (vaddr_t)vaddr,
			  offset, PAGE_NAME(page), want);
}

void oracle_check_content(struct exec *exec, const struct actor *actor,
			  unsigned int page, const void *vaddr)
{
	check_word(exec, actor, page, vaddr, TAG_FIRST, oracle_page_tag(page));
	exec_freeze(exec, true); /* one place to switch is enough */
	check_word(exec, actor, page, vaddr, TAG_LAST, oracle_page_tag(page));
	check_word(exec, actor, page, vaddr, oracle_word_offset(actor),
		   actor->written[page]);
	for (unsigned int i = 0; i < 2; i++) {
		const char *byte = (const char *)vaddr + i * (PAGE_SIZE - 1);

		if (the_subject.ops.kmap_to_page &&
		    the_subject.ops.kmap_to_page(byte) != exec_page(exec, page))
			exec_fail(exec, "kmap_to_page of %p is not %c%u",
				  (vaddr_t)byte, PAGE_NAME(page));
	}
	exec_freeze(exec, false);
}

/* ---- Between two operations, when they run one at a time ----------------------- */

bool oracle_at_rest(const struct exec *exec, const struct actor *actor)
{
	if (!exec->options->freeze)
		return true;
	if (is_handler(actor))
		return false; /* whom it interrupted is in the middle */
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		const struct actor *other = &exec->actors[a];

		if (other != actor && other->in_op &&
		    (is_handler(other) || !machine_task_asleep(other->id)))
			return false;
	}
	return true;
}

void oracle_check_refusal(struct exec *exec, const struct actor *actor,
			  unsigned int page)
{
	if (exec->options->parallel || !actor->alone)
		return;
	if (!exec_freeze(exec, true)) {
		exec_freeze(exec, false);
		return;
	}
	if (exec->hm)
		oracle_refused_inside(exec, page);
	else
		oracle_refused_outside(exec, page);
	exec_freeze(exec, false);
}

void oracle_after_op(struct exec *exec, const struct actor *actor)
{
	if (exec->options->parallel || !oracle_at_rest(exec, actor))
		return;
	if (exec_freeze(exec, true)) {
		oracle_no_report(exec);
		oracle_look(exec, actor, false);
	}
	exec_freeze(exec, false);
}

/* ---- At the end ------------------------------------------------------------------ */

static void look_at_end(struct exec *exec, bool everywhere)
{
	oracle_no_report(exec);
	oracle_look(exec, NULL, everywhere);
}

void oracle_at_end(struct exec *exec)
{
	look_at_end(exec, false);
}

/*
 * All slots are free, so each map that was made has been undone; and a shootdown
 * is for at least one of them.
 */
static void check_statistics(struct exec *exec)
{
	uint32_t made, undone, flushes;

	if (!exec->hm)
		return; /* they are inside */
	made = highmem_stat(exec->hm, HM_STAT_MISS);
	undone = highmem_stat(exec->hm, HM_STAT_RETIRED);
	flushes = highmem_stat(exec->hm, HM_STAT_FLUSH);
	if (made != undone)
		exec_fail(exec,
			  "the statistics have %u slots mapped and %u retired, "
			  "but all are free",
			  made, undone);
	if (flushes > undone)
		exec_fail(exec, "%u shootdowns for %u retired slots", flushes,
			  undone);
}

void oracle_after_flush(struct exec *exec)
{
	look_at_end(exec, true);
	check_statistics(exec);
}
