/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"

/*
 * The order of steps is what keeps an interrupt out of a window that is half
 * made or half unmade. Depth goes up before the PTE is written and down after
 * it is cleared and flushed, so at every instruction the window an interrupt
 * would take, the one at depth, is empty here and in this CPU's TLB. What an
 * interrupt maps it unmaps before it returns, so depth and the windows below
 * are the same again for the code it cut in two.
 *
 * Preemption is off between the two steps: a context switch there would save
 * a window whose PTE is not yet known to kmap_ctrl.
 */

static struct kmap_ctrl *current_ctrl(void)
{
	return port_task_kmap_ctrl(port_task_current());
}

static bool needs_window(const struct highmem *hm, const struct page *page)
{
	return hm->config.force_map || page_is_highmem(hm, page);
}

/* pre: preemption is off; a window is left. */
static vaddr_t window_push(struct highmem *hm, struct kmap_ctrl *ctrl,
			   pte_t pte)
{
	uint32_t depth = port_atomic_load(&ctrl->depth);
	vaddr_t vaddr = kmap_window(port_cpu_id(), depth);

	HM_ASSERT(depth < hm->config.local_depth);
	port_atomic_store(&ctrl->depth, depth + 1);
	HM_CHECK(pte_none(port_pte_read(vaddr)));
	ctrl->pte[depth] = pte;
	port_pte_set(vaddr, pte);
	hm_count(hm, HM_STAT_LOCAL);
	return vaddr;
}

/* pre: preemption is off; @vaddr is the window at depth - 1. */
static void window_pop(struct kmap_ctrl *ctrl, vaddr_t vaddr)
{
	uint32_t depth = port_atomic_load(&ctrl->depth);
	pte_t old;

	HM_ASSERT(depth > 0);
	HM_ASSERT(vaddr == kmap_window(port_cpu_id(), depth - 1));
	old = port_pte_clear(vaddr);
	HM_CHECK(pte_pfn(old) == pte_pfn(ctrl->pte[depth - 1]));
	port_tlb_flush_local_page(vaddr);
	ctrl->pte[depth - 1] = 0;
	port_atomic_store(&ctrl->depth, depth - 1);
}

void *kmap_local_page(struct highmem *hm, struct page *page)
{
	struct kmap_ctrl *ctrl = current_ctrl();
	pfn_t pfn = page_to_pfn(hm, page);
	vaddr_t vaddr = 0;

	if (!needs_window(hm, page))
		return (void *)lowmem_vaddr(hm, pfn);
	port_preempt_disable();
	if (port_atomic_load(&ctrl->depth) < hm->config.local_depth) {
		port_migrate_disable();
		vaddr = window_push(hm, ctrl, pte_make(pfn, hm->config.prot));
	}
	port_preempt_enable();
	if (!vaddr)
		hm_misuse(hm, "local map of pfn %x: task %u holds %u already",
			  pfn, port_task_id(port_task_current()),
			  hm->config.local_depth);
	return (void *)vaddr;
}

/* Decides and acts with preemption off. Returns whether it was the newest. */
static bool unmap_newest(struct kmap_ctrl *ctrl, vaddr_t vaddr)
{
	uint32_t depth;
	bool newest;

	port_preempt_disable();
	depth = port_atomic_load(&ctrl->depth);
	newest = depth > 0 && vaddr == kmap_window(port_cpu_id(), depth - 1);
	if (newest) {
		window_pop(ctrl, vaddr);
		port_migrate_enable();
	}
	port_preempt_enable();
	return newest;
}

/* Returns false when @addr was refused. */
static bool unmap_local(struct highmem *hm, const void *addr)
{
	vaddr_t vaddr = (vaddr_t)addr & PAGE_MASK;

	if (is_lowmem_vaddr(hm, vaddr))
		return true;
	if (!is_kmap_window(vaddr)) {
		hm_misuse(hm, "kunmap_local of %p: not a local map", vaddr);
		return false;
	}
	if (!unmap_newest(current_ctrl(), vaddr)) {
		hm_misuse(hm,
			  "kunmap_local of %p: not the newest local map of "
			  "task %u",
			  vaddr, port_task_id(port_task_current()));
		return false;
	}
	return true;
}

void kunmap_local(struct highmem *hm, const void *vaddr)
{
	unmap_local(hm, vaddr);
}

void *kmap_atomic(struct highmem *hm, struct page *page)
{
	void *vaddr;

	port_preempt_disable();
	vaddr = kmap_local_page(hm, page);
	if (!vaddr)
		port_preempt_enable();
	return vaddr;
}

void kunmap_atomic(struct highmem *hm, const void *vaddr)
{
	if (unmap_local(hm, vaddr))
		port_preempt_enable();
}

/*
 * Interrupts are off and depth is not between its steps (preemption was on a
 * moment ago), so each window below depth has its PTE and no other has one.
 */
void kmap_local_sched_out(struct highmem *hm, struct kmap_ctrl *prev)
{
	uint32_t depth = port_atomic_load(&prev->depth);

	HM_ASSERT(depth <= hm->config.local_depth);
	for (uint32_t i = 0; i < depth; i++) {
		vaddr_t vaddr = kmap_window(port_cpu_id(), i);
		pte_t old = port_pte_clear(vaddr);

		HM_CHECK(pte_pfn(old) == pte_pfn(prev->pte[i]));
		port_tlb_flush_local_page(vaddr);
	}
}

void kmap_local_sched_in(struct highmem *hm, struct kmap_ctrl *next)
{
	uint32_t depth = port_atomic_load(&next->depth);

	HM_ASSERT(depth <= hm->config.local_depth);
	for (uint32_t i = 0; i < depth; i++) {
		vaddr_t vaddr = kmap_window(port_cpu_id(), i);

		HM_CHECK(pte_none(port_pte_read(vaddr)));
		HM_ASSERT(pte_present(next->pte[i]));
		port_pte_set(vaddr, next->pte[i]);
	}
}

void kmap_local_assert_none(const struct kmap_ctrl *ctrl)
{
	HM_CHECK(port_atomic_load(&ctrl->depth) == 0);
}
