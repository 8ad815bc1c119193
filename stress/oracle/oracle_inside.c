/* SPDX-License-Identifier: MIT */
#include "stress/oracle/exec_state.h"

/*
 * What must be true of the subject's inside, which it lets us look into in the
 * words of the core: exec->hm. It may be a copy made for this look, so its words
 * are read, and what the subject is asked goes through its operations.
 */

/*
 * 0: not mapped. The core may be broken: what it says is looked at before it is
 * followed.
 */
static uint32_t count_of(struct exec *exec, unsigned int page)
{
	uint32_t word = port_atomic_load(&exec->hm->config.mem_map[page].pkmap);

	if (word == 0 || pkmap_word_slot(word) < exec->config->nr_slots)
		return pkmap_word_count(word);
	exec_fail(exec, "a page is mapped in slot %u, of %u",
		  pkmap_word_slot(word), exec->config->nr_slots);
	return 0;
}

/* The count of the page that is mapped in @slot; 0: none is. */
static uint32_t count_in(struct exec *exec, uint32_t slot)
{
	const struct highmem_config *config = exec->config;
	uint32_t cookie = port_atomic_load(&exec->hm->pkmap.slot[slot].page);
	uint32_t word;

	if (cookie == 0 || cookie > config->nr_pages)
		return 0;
	word = port_atomic_load(&exec->hm->config.mem_map[cookie - 1].pkmap);
	return pkmap_word_slot(word) == slot ? pkmap_word_count(word) : 0;
}

static bool is_free(struct exec *exec, uint32_t slot)
{
	return exec->hm->pkmap.free[slot / 32] >> (slot % 32) & 1;
}

/* A slot of @colour that somebody could have now, or -1. */
static int slot_to_be_had(struct exec *exec, unsigned int colour)
{
	const struct highmem_config *config = exec->config;

	for (unsigned int s = colour; s < config->nr_slots;
	     s += config->nr_colours)
		if (is_free(exec, s) || count_in(exec, s) == 1)
			return (int)s;
	return -1;
}

void oracle_refused_inside(struct exec *exec, unsigned int page)
{
	int slot;

	exec_look(exec);
	slot = slot_to_be_had(exec, exec_colour(exec, page));
	if (count_of(exec, page) > 0)
		exec_fail(exec, "kmap_try refused %c%u, which is mapped",
			  PAGE_NAME(page));
	if (slot >= 0)
		exec_fail(exec,
			  "kmap_try refused %c%u, but slot %u is to be had",
			  PAGE_NAME(page), (unsigned int)slot);
}

/* ---- One page ------------------------------------------------------------------- */

/*
 * The count of a page is its users + 1. Who waits for the page may have
 * been served already, and counts as a user before it runs.
 */
static void check_count(struct exec *exec, unsigned int index)
{
	uint32_t count = count_of(exec, index);
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
	if (actor->held[index] > 0 &&
	    the_subject.ops.page_address(exec_page(exec, index)) !=
		    actor->address[index])
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

static struct page *page_at(vaddr_t vaddr)
{
	return the_subject.ops.kmap_to_page((const void *)vaddr);
}

/* From the address to the page, and back, and as the MMU goes. */
static bool slot_agrees(struct exec *exec, vaddr_t vaddr)
{
	struct page *page = page_at(vaddr);
	uintptr_t index = ((uintptr_t)page - (uintptr_t)exec->config->mem_map) /
			  sizeof(*page);

	return page && index < exec->config->nr_pages &&
	       page_at(vaddr + PAGE_SIZE - 1) == page &&
	       the_subject.ops.page_address(page) == (void *)vaddr &&
	       oracle_leads_to(exec, vaddr, (unsigned int)index);
}

/*
 * Free, idle, live: what is none of these is between two owners, and
 * oracle_check_between() wants to know who they are.
 */
void oracle_check_slot(struct exec *exec, unsigned int slot)
{
	vaddr_t vaddr = exec->config->pkmap_base + slot * PAGE_SIZE;
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
	else if (page_at(vaddr))
		exec_fail(exec, "slot %u is free, but kmap_to_page has a page",
			  slot);
}

static bool is_a_page(struct exec *exec, const struct page *page)
{
	uintptr_t offset = (uintptr_t)page -
			   (uintptr_t)exec->hm->config.mem_map;

	return offset / sizeof(*page) < exec->config->nr_pages &&
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
	for (unsigned int c = 0; c < exec->config->nr_colours; c++)
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
		if (count_of(exec, (unsigned int)(w->page -
						  exec->hm->config.mem_map)) ==
		    0)
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
	const struct highmem_config *config = exec->config;
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
	for (unsigned int p = 0; p < exec_nr_pages(exec); p++)
		oracle_check_page(exec, p);
	for (unsigned int s = 0; s < config->nr_slots; s++)
		oracle_check_slot(exec, s);
	oracle_check_between(exec);
	for (unsigned int c = 0; c < config->nr_colours; c++)
		oracle_check_waiters(exec, c);
	oracle_check_windows(exec, actor);
}
