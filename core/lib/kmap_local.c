/* SPDX-License-Identifier: MIT */
#include "core/lib/internal.h"

/*
 * The order of steps is what keeps an interrupt out of a window that is half
 * made or half unmade. Depth goes up before the PTE is written and down after
 * it is cleared and flushed, so at every instruction the window an interrupt
 * would take, the one at depth, is empty here and in this CPU's TLB. What an
 * interrupt maps it unmaps before it returns, so depth and the windows below
 * are the same again for the code it cut in two. Only this CPU has to see that
 * order, and port_barrier() is what keeps the compiler to it.
 *
 * Preemption is off between the two steps: a context switch there would save
 * a window whose PTE is not yet known to kmap_ctrl.
 */

static struct kmap_ctrl *current_ctrl(void)
{
	return port_task_kmap_ctrl(port_task_current());
}

/* pre: preemption is off; a window is left. */
static vaddr_t window_push(struct highmem *hm, struct kmap_ctrl *ctrl,
			   pte_t pte, bool atomic)
{
	uint32_t depth = port_atomic_load(&ctrl->depth);
	vaddr_t vaddr = kmap_window(port_cpu_id(), depth);

	HM_ASSERT(depth < hm->config.local_depth);
	port_atomic_store(&ctrl->depth, depth + 1);
	port_barrier();
	HM_CHECK(pte_none(port_pte_read(vaddr)));
	ctrl->atomic |= (uint32_t)atomic << depth;
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
	ctrl->atomic &= ~((uint32_t)1 << (depth - 1));
	port_barrier();
	port_atomic_store(&ctrl->depth, depth - 1);
}

/* A window for the frame, or 0. */
static vaddr_t map_window(struct highmem *hm, pfn_t pfn, bool atomic)
{
	struct kmap_ctrl *ctrl = current_ctrl();
	vaddr_t vaddr = 0;

	port_preempt_disable();
	if (port_atomic_load(&ctrl->depth) < hm->config.local_depth) {
		port_migrate_disable();
		vaddr = window_push(hm, ctrl, pte_make(pfn, hm->config.prot),
				    atomic);
	}
	port_preempt_enable();
	return vaddr;
}

static void *map_local(struct highmem *hm, const struct page *page, bool atomic)
{
	pfn_t pfn = hm_pfn_of(hm, page, "local map");
	vaddr_t vaddr;

	if (pfn == PFN_NONE)
		return NULL;
	if (!hm->config.force_map && !is_highmem_pfn(hm, pfn)) {
		current_ctrl()->direct[atomic]++;
		return (void *)lowmem_vaddr(hm, pfn);
	}
	vaddr = map_window(hm, pfn, atomic);
	if (!vaddr)
		hm_misuse(hm, "local map of pfn %x: task %u holds %u already",
			  pfn, port_task_id(port_task_current()),
			  hm->config.local_depth);
	return (void *)vaddr;
}

void *kmap_local_page(struct highmem *hm, struct page *page)
{
	return map_local(hm, page, false);
}

/* Decides and acts with preemption off. Returns whether it was the newest. */
static bool unmap_newest(struct kmap_ctrl *ctrl, vaddr_t vaddr, bool atomic)
{
	uint32_t depth;
	bool newest;

	port_preempt_disable();
	depth = port_atomic_load(&ctrl->depth);
	newest = depth > 0 && vaddr == kmap_window(port_cpu_id(), depth - 1) &&
		 (ctrl->atomic >> (depth - 1) & 1) == atomic;
	if (newest) {
		window_pop(ctrl, vaddr);
		port_migrate_enable();
	}
	port_preempt_enable();
	return newest;
}

/* Which address in the direct map it was, nobody knows; only how many. */
static bool unmap_direct(struct kmap_ctrl *ctrl, bool atomic)
{
	if (ctrl->direct[atomic] == 0)
		return false;
	ctrl->direct[atomic]--;
	return true;
}

/* Returns false when @addr was refused. */
static bool unmap_local(struct highmem *hm, const void *addr, bool atomic)
{
	struct kmap_ctrl *ctrl = current_ctrl();
	vaddr_t vaddr = (vaddr_t)addr & PAGE_MASK;
	const char *kind = atomic ? "atomic" : "local";

	if (is_kmap_window(vaddr)) {
		if (unmap_newest(ctrl, vaddr, atomic))
			return true;
		hm_misuse(hm,
			  "kunmap_%s of %p: not the newest %s map of task %u",
			  kind, vaddr, kind, port_task_id(port_task_current()));
		return false;
	}
	if (is_lowmem_vaddr(hm, vaddr)) {
		if (unmap_direct(ctrl, atomic))
			return true;
		hm_misuse(hm,
			  "kunmap_%s of %p: task %u has no %s map of lowmem",
			  kind, vaddr, port_task_id(port_task_current()), kind);
		return false;
	}
	hm_misuse(hm, "kunmap_%s of %p: not %s map", kind, vaddr,
		  atomic ? "an atomic" : "a local");
	return false;
}

void kunmap_local(struct highmem *hm, const void *vaddr)
{
	unmap_local(hm, vaddr, false);
}

void *kmap_atomic(struct highmem *hm, struct page *page)
{
	void *vaddr;

	port_preempt_disable();
	vaddr = map_local(hm, page, true);
	if (!vaddr)
		port_preempt_enable();
	return vaddr;
}

void kunmap_atomic(struct highmem *hm, const void *vaddr)
{
	if (unmap_local(hm, vaddr, true))
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
	char sentence[96];
	uint32_t nr = port_atomic_load(&ctrl->depth) + ctrl->direct[0] +
		      ctrl->direct[1];

	if (nr == 0)
		return;
	hm_format(sentence, sizeof(sentence),
		  "highmem: BUG: a task ends with local maps: %u", nr);
	port_bug(sentence);
}
