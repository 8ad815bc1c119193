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
	for (unsigned int p = 0; p < exec->hm->config.nr_pages; p++) {
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

		if (kmap_to_page(exec->hm, byte) != exec_page(exec, page))
			exec_fail(exec, "kmap_to_page of %p is not %c%u",
				  (vaddr_t)byte, PAGE_NAME(page));
	}
	exec_freeze(exec, false);
}

/* ---- Between two operations, when they run one at a time ----------------------- */

/*
 * 0: not mapped. The core may be broken: what it says is looked at before it is
 * followed.
 */
static uint32_t count_of(struct exec *exec, const struct page *page)
{
	uint32_t word = port_atomic_load(&page->pkmap);

	if (word == 0 || pkmap_word_slot(word) < exec->hm->config.nr_slots)
		return pkmap_word_count(word);
	exec_fail(exec, "a page is mapped in slot %u, of %u",
		  pkmap_word_slot(word), exec->hm->config.nr_slots);
	return 0;
}

/* The count of the page that is mapped in @slot; 0: none is. */
static uint32_t count_in(struct exec *exec, uint32_t slot)
{
	const struct highmem_config *config = &exec->hm->config;
	uint32_t cookie = port_atomic_load(&exec->hm->pkmap.slot[slot].page);
	uint32_t word;

	if (cookie == 0 || cookie > config->nr_pages)
		return 0;
	word = port_atomic_load(&config->mem_map[cookie - 1].pkmap);
	return pkmap_word_slot(word) == slot ? pkmap_word_count(word) : 0;
}

static bool is_free(struct exec *exec, uint32_t slot)
{
	return exec->hm->pkmap.free[slot / 32] >> (slot % 32) & 1;
}

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

/* A slot of @colour that somebody could have now, or -1. */
static int slot_to_be_had(struct exec *exec, unsigned int colour)
{
	const struct highmem_config *config = &exec->hm->config;

	for (unsigned int s = colour; s < config->nr_slots;
	     s += config->nr_colours)
		if (is_free(exec, s) || count_in(exec, s) == 1)
			return (int)s;
	return -1;
}

static unsigned int colour_of(struct exec *exec, const struct page *page)
{
	return page_to_pfn(exec->hm, page) & (exec->hm->config.nr_colours - 1);
}

static bool is_mapped(struct exec *exec, const struct page *page)
{
	return count_of(exec, page) > 0;
}

void oracle_check_refusal(struct exec *exec, const struct actor *actor,
			  unsigned int page)
{
	struct page *refused = exec_page(exec, page);
	unsigned int colour = colour_of(exec, refused);

	if (exec->options->parallel || !actor->alone)
		return;
	if (!exec_freeze(exec, true)) {
		exec_freeze(exec, false);
		return;
	}
	if (is_mapped(exec, refused))
		exec_fail(exec, "kmap_try refused %c%u, which is mapped",
			  PAGE_NAME(page));
	if (slot_to_be_had(exec, colour) >= 0)
		exec_fail(exec,
			  "kmap_try refused %c%u, but slot %u is to be had",
			  PAGE_NAME(page),
			  (unsigned int)slot_to_be_had(exec, colour));
	exec_freeze(exec, false);
}

/* ---- One page ------------------------------------------------------------------- */

/*
 * The count of a page is its users + 1. Who waits for the page may have
 * been served already, and counts as a user before it runs.
 */
static void check_count(struct exec *exec, unsigned int index)
{
	uint32_t count = count_of(exec, exec_page(exec, index));
	uint32_t users = 0;
	uint32_t coming = 0;

	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		users += exec->actors[a].held[index];
		coming += exec->actors[a].waits_for == (int)index;
	}
	if (count > users + coming + 1 || (users > 0 && count < users + 1))
		exec_fail(exec, "%c%u has count %u and %u users",
			  PAGE_NAME(index), count, users);
}

static void check_held(struct exec *exec, const struct actor *actor,
		       unsigned int index)
{
	struct page *page = exec_page(exec, index);

	if (actor->held[index] > 0 &&
	    page_address(exec->hm, page) != actor->address[index])
		exec_fail(exec, "%c%u moved while %c had it mapped",
			  PAGE_NAME(index), actor_letter(actor->index));
}

void oracle_check_page(struct exec *exec, unsigned int index)
{
	if (index < MACHINE_LOWMEM_PAGES)
		return;
	check_count(exec, index);
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++)
		check_held(exec, &exec->actors[a], index);
}

/* ---- One slot ------------------------------------------------------------------- */

/* From the address to the page, and back, and as the MMU goes. */
static bool slot_agrees(struct exec *exec, vaddr_t vaddr)
{
	const void *last = (const void *)(vaddr + PAGE_SIZE - 1);
	struct page *page = kmap_to_page(exec->hm, (const void *)vaddr);

	return page && kmap_to_page(exec->hm, last) == page &&
	       page_address(exec->hm, page) == (void *)vaddr &&
	       pte_pfn(port_pte_read(vaddr)) == page_to_pfn(exec->hm, page);
}

/*
 * Free, idle, live: what is none of these is between two owners, and
 * oracle_check_between() wants to know who they are.
 */
void oracle_check_slot(struct exec *exec, unsigned int slot)
{
	vaddr_t vaddr = exec->hm->config.pkmap_base + slot * PAGE_SIZE;
	bool used = count_in(exec, slot) > 0;

	exec->between &= ~((uint64_t)1 << slot);
	if (used && !slot_agrees(exec, vaddr))
		exec_fail(exec,
			  "the PTE of slot %u, kmap_to_page and page_address "
			  "do not agree",
			  slot);
	if (used)
		return;
	if (!is_free(exec, slot))
		exec->between |= (uint64_t)1 << slot;
	else if (kmap_to_page(exec->hm, (const void *)vaddr))
		exec_fail(exec, "slot %u is free, but kmap_to_page has a page",
			  slot);
}

static bool is_a_page(struct exec *exec, const struct page *page)
{
	const struct highmem_config *config = &exec->hm->config;
	uintptr_t offset = (uintptr_t)page - (uintptr_t)config->mem_map;

	return offset / sizeof(*page) < config->nr_pages &&
	       offset % sizeof(*page) == 0;
}

/* Whose @task is, or NULL. */
static const struct actor *actor_of(const struct exec *exec,
				    const struct port_task *task)
{
	for (unsigned int a = 0; task && a < PROGRAM_MAX_TASKS; a++)
		if (exec->actors[a].task == task)
			return &exec->actors[a];
	return NULL;
}

/* What programs call @task, or '?'. */
static char name_of(struct exec *exec, const struct port_task *task)
{
	const struct actor *actor = actor_of(exec, task);

	return actor ? actor_letter(actor->index) : '?';
}

/*
 * A waiter is on its task's stack. One that stays in the queue when the task
 * has gone on holds anything, its next among it.
 */
bool oracle_queue_is_sound(struct exec *exec, unsigned int colour)
{
	const struct pkmap_waiter *w = exec->hm->pkmap.queue[colour].head;
	const char *wrong = NULL;

	for (unsigned int nr = 0; w; w = w->next) {
		if (nr++ == PROGRAM_MAX_TASKS)
			wrong = "more waiters than tasks";
		else if ((uintptr_t)w % _Alignof(struct pkmap_waiter) != 0)
			wrong = "a waiter at an address where none can be";
		else if (!is_a_page(exec, w->page))
			wrong = "a waiter for what is no page";
		else if (name_of(exec, w->task) == '?')
			wrong = "a waiter that is no task";
		if (wrong)
			break;
	}
	if (wrong)
		exec_fail(exec, "the queue of colour %u has %s", colour, wrong);
	return !wrong;
}

bool oracle_is_queued(struct exec *exec, const struct actor *actor)
{
	for (unsigned int c = 0; c < exec->hm->config.nr_colours; c++)
		for (struct pkmap_waiter *w = exec->hm->pkmap.queue[c].head; w;
		     w = w->next)
			if (w->task == actor->task)
				return true;
	return false;
}

/* A slot between owners is on its way to a task that has been served. */
void oracle_check_between(struct exec *exec)
{
	int unowned = __builtin_popcountll(exec->between);

	if (unowned == 0)
		return;
	for (unsigned int a = 0; a < PROGRAM_MAX_TASKS; a++)
		if (exec->actors[a].waits_for >= 0 &&
		    !oracle_is_queued(exec, &exec->actors[a]))
			unowned--;
	if (unowned > 0)
		exec_fail(exec,
			  "slot %u is lost: neither free, nor idle, nor in "
			  "use, nor on its way to a task",
			  (unsigned int)__builtin_ctzll(exec->between));
}

/* ---- Who waits --------------------------------------------------------------------- */

/* Whom a signal has woken leaves the queue when it comes to run. */
static bool sleeps_on(const struct pkmap_waiter *w)
{
	return w->killable && port_signal_pending(w->task) &&
	       machine_task_asleep(port_task_id(w->task));
}

static bool check_may_wait(struct exec *exec, const struct pkmap_waiter *w)
{
	const struct actor *actor = actor_of(exec, w->task);
	bool may = !actor || !actor->op || actor->op->kind != OP_TRY;

	if (!may)
		exec_fail(exec, "task %c waits in kmap_try",
			  name_of(exec, w->task));
	return may;
}

bool oracle_check_waiters(struct exec *exec, unsigned int colour)
{
	struct pkmap_waiter *w = exec->hm->pkmap.queue[colour].head;
	int slot;

	if (!w)
		return true;
	if (!oracle_queue_is_sound(exec, colour))
		return false;
	for (struct pkmap_waiter *each = w; each; each = each->next)
		if (!check_may_wait(exec, each))
			return false;
	slot = slot_to_be_had(exec, colour);
	if (slot >= 0) {
		exec_fail(exec,
			  "lost wake-up: task %c sleeps on colour %u "
			  "while slot %u is to be had",
			  name_of(exec, w->task), colour, (unsigned int)slot);
		return false;
	}
	for (; w; w = w->next) {
		if (sleeps_on(w)) {
			exec_fail(exec,
				  "task %c sleeps on in kmap_killable, though "
				  "a signal has come",
				  name_of(exec, w->task));
			return false;
		}
		if (!is_mapped(exec, w->page))
			continue;
		exec_fail(exec,
			  "lost wake-up: task %c sleeps on colour %u "
			  "while its page is mapped",
			  name_of(exec, w->task), colour);
		return false;
	}
	return true;
}

/* ---- All of it -------------------------------------------------------------------- */

void oracle_check_all(struct exec *exec, const struct actor *actor,
		      const char *audit)
{
	const struct highmem_config *config = &exec->hm->config;
	const char *why;

	for (unsigned int c = 0; c < config->nr_colours; c++)
		if (!oracle_queue_is_sound(exec, c))
			return;
	why = highmem_validate(exec->hm);
	if (!why)
		why = audit;
	if (why) {
		exec_fail(exec, "%s", why);
		return; /* the rest follows what this found wrong */
	}
	for (unsigned int p = 0; p < config->nr_pages && p < PROGRAM_MAX_PAGES;
	     p++)
		oracle_check_page(exec, p);
	for (unsigned int s = 0; s < config->nr_slots; s++)
		oracle_check_slot(exec, s);
	oracle_check_between(exec);
	for (unsigned int c = 0; c < config->nr_colours; c++)
		oracle_check_waiters(exec, c);
	oracle_check_windows(exec, actor);
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
	uint32_t made = highmem_stat(exec->hm, HM_STAT_MISS);
	uint32_t undone = highmem_stat(exec->hm, HM_STAT_RETIRED);
	uint32_t flushes = highmem_stat(exec->hm, HM_STAT_FLUSH);

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
