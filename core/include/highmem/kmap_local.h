/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_KMAP_LOCAL_H
#define HIGHMEM_KMAP_LOCAL_H

/*
 * Local maps: a window of this CPU's fixmap, for the current task or the
 * interrupt that borrowed it. They nest like a stack and are undone in the
 * reverse order. No lock, no shootdown; never sleeps.
 *
 * Task @t's n-th local map lives in window n of whatever CPU it runs on; it
 * cannot leave that CPU while it holds one. At a context switch the windows
 * of the old task are cleared and those of the new one are filled, so each
 * task may use all of them. An interrupt continues on the stack of the task
 * it interrupted and is back at the same depth when it returns.
 */

#include <highmem/fixmap.h>
#include <highmem/page.h>

/*
 * A task's local maps, and those of interrupts above it. Zero-initialised;
 * embedded in the port's task. What an interrupt adds it takes away before it
 * returns, so each field has its value again for the code that was cut in two.
 */
struct kmap_ctrl {
	port_atomic_t depth;   /* windows claimed */
	uint32_t atomic;       /* bit n: window n is kmap_atomic()'s */
	uint32_t direct[2];    /* maps without a window; [1]: kmap_atomic()'s */
	pte_t pte[KM_MAX_IDX]; /* what window n holds; none above depth */
};

/*
 * Map @page in the next window, or, if it is a lowmem page and force_map is
 * off, where it is anyway. Returns its address; NULL when all windows are taken
 * or @page is none of mem_map, which is reported. The address is for this task
 * only. Context: any. While a window's map lives the task cannot migrate.
 */
void *kmap_local_page(struct highmem *hm, struct page *page);

/*
 * Undo the newest local map. Any address within the page will do. Not the
 * newest, not local, not this task's, or kmap_atomic()'s: reported, nothing
 * done. Of lowmem pages that took no window, only the number of maps is known:
 * one unmap too many is reported, a wrong one of several is not. Context: any.
 */
void kunmap_local(struct highmem *hm, const void *vaddr);

/*
 * The same with preemption disabled in between, as older callers expect.
 * kunmap_atomic() takes what kmap_atomic() gave, and nothing else, so it enables
 * preemption only where that had disabled it.
 */
void *kmap_atomic(struct highmem *hm, struct page *page);
void kunmap_atomic(struct highmem *hm, const void *vaddr);

/*
 * For the scheduler: empty this CPU's windows of the outgoing task, fill
 * those of the incoming one. Context: the switch itself, interrupts off.
 */
void kmap_local_sched_out(struct highmem *hm, struct kmap_ctrl *prev);
void kmap_local_sched_in(struct highmem *hm, struct kmap_ctrl *next);

/* Reports when the task still holds local maps of any kind, as at its exit. */
void kmap_local_assert_none(const struct kmap_ctrl *ctrl);

#endif
