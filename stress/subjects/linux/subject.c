/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stress/subjects/linux/linux.h"
#include "stress/subjects/plain/plain.h"
#include "stress/subjects/subject.h"

/* Linux's mm/highmem.c as a subject. */

/* What each task waits for; its own, so no state of the machine. */
static struct page *waits_for[LINUX_MAX_TASKS];

#ifdef LINUX_DEBUG_LOCAL /* every second window is a guard */
#define WINDOWS_OF(idx) ((unsigned int)(idx) / 2)
#else
#define WINDOWS_OF(idx) ((unsigned int)(idx))
#endif

/* As this CPU sees it, whose task it is. */
static unsigned int windows_of(unsigned int task)
{
	unsigned int windows;

	plain_show_own_stores();
	windows = WINDOWS_OF(unit_idx(task));
	plain_settle();
	return windows;
}

#ifndef LINUX_DEBUG_LOCAL
static unsigned int windows(void)
{
	return windows_of(linux_current());
}
#endif

/* ---- A guest of the machine ----------------------------------------------------------- */

static const char *boot(const struct highmem_config *config)
{
	linux_switching = NULL;
	memset(&linux_state, 0, sizeof(linux_state));
	linux_state.config = *config;
	memset(waits_for, 0, sizeof(waits_for));
	plain_boot(unit_init);
	plain_no_points(unit_counts() + config->nr_slots,
			unit_counts() + LINUX_MAX_SLOTS);
	return NULL;
}

static void sched_out(struct port_task *prev)
{
	linux_switching = prev;
	unit_sched_out();
	plain_settle();
	linux_switching = NULL;
}

static void sched_in(struct port_task *next)
{
	linux_switching = next;
	unit_sched_in();
	plain_settle();
	linux_switching = NULL;
}

static void task_ends(struct port_task *task)
{
	if (windows_of(linux_task_of(task)) != 0)
		port_bug("a task ends with a local map");
}

static const struct guest guest = {
	.boot = boot,
	.sched_out = sched_out,
	.sched_in = sched_in,
	.task_ends = task_ends,
	.hash = plain_hash,
#ifdef LINUX_BROADCAST
	.broadcast = true,
#endif
};

/* ---- Operations: what include/linux/highmem-internal.h makes of them --------------------- */

static void *do_page_address(struct page *page)
{
	void *vaddr;

	if (!page_is_highmem(&linux_state, page) || !sim_is_frozen())
		vaddr = unit_page_address(page);
	else
		vaddr = unit_peek_address(page); /* its locks may be held */
	plain_settle();
	return vaddr;
}

/* For an address where nothing is, Linux names a page that is none. */
static struct page *do_kmap_to_page(const void *vaddr)
{
	const struct page *mem_map = linux_state.config.mem_map;
	struct page *page = unit_kmap_to_page(vaddr);
	uintptr_t offset = (uintptr_t)page - (uintptr_t)mem_map;

	plain_settle();
	if (offset / sizeof(*page) < linux_state.config.nr_pages)
		return page;
	return NULL;
}

static void *do_kmap(struct page *page)
{
	struct page **waits = &waits_for[linux_current()];
	void *vaddr;

	if (!port_may_sleep())
		port_bug("kmap sleeps in atomic context");
	if (!page_is_highmem(&linux_state, page))
		return do_page_address(page);
	*waits = page;
	vaddr = unit_kmap_high(page);
	plain_settle();
	*waits = NULL;
	return vaddr;
}

static void do_kunmap(struct page *page, const void *vaddr)
{
	(void)vaddr;
	if (page_is_highmem(&linux_state, page))
		unit_kunmap_high(page);
	plain_settle();
}

#ifdef LINUX_HIGH_GET
static void *do_get(struct page *page)
{
	void *vaddr;

	if (!page_is_highmem(&linux_state, page))
		return do_page_address(page);
	vaddr = unit_kmap_high_get(page);
	plain_settle();
	return vaddr;
}
#endif

static void do_flush(void)
{
	unit_flush_unused();
	plain_settle();
}

static void *do_local(struct page *page)
{
	void *vaddr = unit_kmap_local(page);

	plain_settle();
	return vaddr;
}

static void do_unlocal(const void *vaddr)
{
	unit_kunmap_local(vaddr);
	plain_settle();
}

static void *do_atomic(struct page *page)
{
	port_preempt_disable();
	return do_local(page);
}

static void do_unatomic(const void *vaddr)
{
	do_unlocal(vaddr);
	port_preempt_enable();
}

/* ---- Looks --------------------------------------------------------------------------------- */

/* Where slot @s is: mapped, its PTE says of what. */
static void look_at_slot(struct highmem *hm, unsigned int s)
{
	pte_t pte = port_pte_read(hm->config.pkmap_base + s * PAGE_SIZE);
	struct page *page = pte ? pfn_to_page(hm, pte_pfn(pte)) : NULL;
	uint32_t bit = 1U << s % 32;

	hm->pkmap.slot[s].page.value =
		page ? (uint32_t)(page - hm->config.mem_map) + 1 : 0;
	if (unit_counts()[s] == 0)
		hm->pkmap.free[s / 32] |= bit;
	else
		hm->pkmap.free[s / 32] &= ~bit;
}

static void look_at_page(struct highmem *hm, struct page *page)
{
	vaddr_t vaddr = page_is_highmem(hm, page)
				? (vaddr_t)unit_peek_address(page)
				: 0;
	vaddr_t slot = (vaddr - hm->config.pkmap_base) >> PAGE_SHIFT;

	page->pkmap.value = 0;
	if (vaddr && slot < hm->config.nr_slots)
		page->pkmap.value = pkmap_word((unsigned int)slot,
					       (uint32_t)unit_counts()[slot]);
}

/* Who has been woken stands in Linux's queue until it runs; it waits no more. */
static void look_at_queue(struct highmem *hm, unsigned int colour)
{
	static struct pkmap_waiter waiters[LINUX_MAX_COLOURS][LINUX_MAX_TASKS];
	struct pkmap_queue *queue = &hm->pkmap.queue[colour];
	struct pkmap_waiter *waiter = waiters[colour];
	unsigned int tasks[LINUX_MAX_TASKS];
	unsigned int nr = unit_waiters(colour, tasks, LINUX_MAX_TASKS);

	*queue = (struct pkmap_queue){ 0 };
	for (unsigned int i = 0; i < nr; i++) {
		struct port_task *task = &sim.tasks[tasks[i] - 1];

		if (tasks[i] - 1 >= sim.nr_tasks) {
			port_bug("there is something in a wait queue that is "
				 "no task");
			return;
		}
		if (task->state != SIM_TASK_PARKED)
			continue;
		*waiter = (struct pkmap_waiter){ .page = waits_for[tasks[i]],
						 .task = task };
		if (queue->tail)
			queue->tail->next = waiter;
		else
			queue->head = waiter;
		queue->tail = waiter++;
		queue->nr.value++;
	}
}

static struct highmem *look(void)
{
	struct highmem *hm = &linux_state;

	plain_show_own_stores();
	for (unsigned int s = 0; s < hm->config.nr_slots; s++)
		look_at_slot(hm, s);
	for (unsigned int p = 0; p < hm->config.nr_pages; p++)
		look_at_page(hm, &hm->config.mem_map[p]);
	for (unsigned int c = 0; c < hm->config.nr_colours; c++)
		look_at_queue(hm, c);
	hm->pkmap.lock.locked.value = unit_locked();
	for (unsigned int t = 0; t < sim.nr_tasks; t++)
		sim.tasks[t].ctrl.depth.value = WINDOWS_OF(
			unit_idx(sim.tasks[t].id));
	plain_settle();
	return hm;
}

/* "tasks[1].kmap_ctrl.idx" is "A.kmap_ctrl.idx". */
static const char *word(const void *addr)
{
	static const char array[] = "tasks[";
	static char name[64];
	const char *found = plain_word(addr);
	unsigned long task;
	char *end;

	if (!found || strncmp(found, array, sizeof(array) - 1) != 0)
		return found;
	task = strtoul(found + sizeof(array) - 1, &end, 10);
	if (task == 0 || *end != ']')
		return found;
	snprintf(name, sizeof(name), "%c%.60s", (int)('A' + task - 1), end + 1);
	return name;
}

/* ---- The subject ----------------------------------------------------------------------------- */

#ifndef SUBJECT_NAME
#define SUBJECT_NAME "linux"
#endif

const struct subject the_subject = {
	.name = SUBJECT_NAME,
	.what = "Linux's mm/highmem.c",
	.guest = &guest,
	.ops = {
		.kmap = do_kmap,
		.kunmap = do_kunmap,
#ifdef LINUX_HIGH_GET
		.get = do_get,
#endif
		.flush_unused = do_flush,
		.local = do_local,
		.unlocal = do_unlocal,
		.atomic = do_atomic,
		.unatomic = do_unatomic,
		.page_address = do_page_address,
		.kmap_to_page = do_kmap_to_page,
	},
	.limits = {
		.machines =
#ifdef LINUX_PAE
			SUBJECT_PAE |
#else
			SUBJECT_NO_PAE |
#endif
			SUBJECT_HOLES | SUBJECT_SPARSE_CPUS | SUBJECT_FORCE_MAP,
#ifdef LINUX_OWN_HOOKS
		.slots = LINUX_OWN_HOOKS,
		.colours = 1,
#else
		.slots = LINUX_MAX_SLOTS,
#endif
		/* The last is none: idx >= KM_MAX_IDX. */
		.local_depth = WINDOWS_OF(15),
	},
	.promises = SUBJECT_ONE_ADDRESS | SUBJECT_WAITERS_SHARE |
#ifdef LINUX_HIGH_GET
		    SUBJECT_KUNMAP_ANYWHERE |
#endif
#ifndef LINUX_DEBUG_LOCAL
		    SUBJECT_LOCALS_NEST |
#endif
		    SUBJECT_NO_STALE_TLB,
	.look = look,
#ifndef LINUX_DEBUG_LOCAL /* not the first so many of its CPU */
	.windows = windows,
#endif
	.word = word,
};
