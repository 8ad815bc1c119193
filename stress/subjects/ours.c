/* SPDX-License-Identifier: MIT */
#include "stress/subjects/subject.h"

/* Our core as a subject: it has all operations and gives all promises. */

#define HM (&highmem_guest_state)

static void *ours_kmap(struct page *page)
{
	return kmap(HM, page);
}

static void *ours_kmap_try(struct page *page)
{
	return kmap_try(HM, page);
}

static void *ours_kmap_timeout(struct page *page, uint64_t deadline)
{
	return kmap_timeout(HM, page, deadline);
}

static void *ours_kmap_killable(struct page *page)
{
	return kmap_killable(HM, page);
}

static void *ours_get(struct page *page)
{
	return kmap_high_get(HM, page);
}

static void ours_kunmap(struct page *page, const void *vaddr)
{
	(void)vaddr;
	kunmap(HM, page);
}

static void ours_flush_unused(void)
{
	kmap_flush_unused(HM);
}

static void *ours_local(struct page *page)
{
	return kmap_local_page(HM, page);
}

static void ours_unlocal(const void *vaddr)
{
	kunmap_local(HM, vaddr);
}

static void *ours_atomic(struct page *page)
{
	return kmap_atomic(HM, page);
}

static void ours_unatomic(const void *vaddr)
{
	kunmap_atomic(HM, vaddr);
}

static void *ours_page_address(struct page *page)
{
	return page_address(HM, page);
}

static struct page *ours_kmap_to_page(const void *vaddr)
{
	return kmap_to_page(HM, vaddr);
}

static struct highmem *ours_look(void)
{
	return HM;
}

static unsigned int ours_windows(void)
{
	return port_atomic_load(
		&port_task_kmap_ctrl(port_task_current())->depth);
}

const struct subject the_subject = {
	.name = "ours",
	.what = "the core of this tree",
	.guest = &highmem_guest,
	.ops = {
		.kmap = ours_kmap,
		.kmap_try = ours_kmap_try,
		.kmap_timeout = ours_kmap_timeout,
		.kmap_killable = ours_kmap_killable,
		.get = ours_get,
		.kunmap = ours_kunmap,
		.flush_unused = ours_flush_unused,
		.local = ours_local,
		.unlocal = ours_unlocal,
		.atomic = ours_atomic,
		.unatomic = ours_unatomic,
		.page_address = ours_page_address,
		.kmap_to_page = ours_kmap_to_page,
	},
	.limits = { .machines = SUBJECT_ANY_MACHINE },
	.promises = SUBJECT_KUNMAP_ANYWHERE | SUBJECT_ONE_ADDRESS |
		    SUBJECT_WAITERS_SHARE | SUBJECT_FIFO |
		    SUBJECT_NO_STALE_TLB | SUBJECT_LOCALS_NEST |
		    SUBJECT_MISS_KEEPS_COLOURS,
	.reports = {
		[SUBJECT_SURPLUS_KUNMAP] = "highmem: BUG: kunmap of ",
		[SUBJECT_SLEEPS] = "highmem: BUG: kmap of ",
		[SUBJECT_FLUSH_SLEEPS] = "highmem: BUG: kmap_flush_unused ",
		[SUBJECT_WINDOWS_FULL] = "highmem: BUG: local map of ",
		[SUBJECT_MISORDER] = "highmem: BUG: kunmap_",
		[SUBJECT_STRAY] = "highmem: BUG: kunmap_local ",
		[SUBJECT_STRAY_ATOMIC] = "highmem: BUG: kunmap_atomic ",
	},
	.look = ours_look,
	.windows = ours_windows,
};
