/* SPDX-License-Identifier: MIT */
/* Linux's file as it is, behind kernel.h; and after it, what looks at its statics. */
#include SUBJECT_FILE

#define LOOKS __attribute__((no_sanitize("thread")))

struct task_struct tasks[LINUX_MAX_TASKS];
unsigned int last_pkmap_nr_of[LINUX_MAX_COLOURS];
wait_queue_head_t pkmap_wait_of[LINUX_MAX_COLOURS];
#ifdef WANT_PAGE_VIRTUAL
void *page_virtual[LINUX_MAX_PAGES];
#endif

void unit_init(void)
{
	page_address_init();
	for (unsigned int c = 0; c < LINUX_MAX_COLOURS; c++)
		INIT_LIST_HEAD(&pkmap_wait_of[c].head);
	pkmap_page_table = virt_to_kpte(PKMAP_BASE);
}

void *unit_page_address(const void *page)
{
	return page_address(page);
}

void *unit_kmap_high(void *page)
{
	return kmap_high(page);
}

void unit_kunmap_high(void *page)
{
	kunmap_high(page);
}

#ifdef ARCH_NEEDS_KMAP_HIGH_GET
void *unit_kmap_high_get(void *page)
{
	return kmap_high_get(page);
}
#endif

void unit_flush_unused(void)
{
	__kmap_flush_unused();
}

void *unit_kmap_to_page(const void *vaddr)
{
	return __kmap_to_page((void *)vaddr);
}

void *unit_kmap_local(void *page)
{
	return kmap_local_page(page);
}

void unit_kunmap_local(const void *vaddr)
{
	kunmap_local(vaddr);
}

void unit_sched_out(void)
{
	__kmap_local_sched_out();
}

void unit_sched_in(void)
{
	__kmap_local_sched_in();
}

/* ---- Looks --------------------------------------------------------------------------- */

LOOKS const int *unit_counts(void)
{
	return pkmap_count;
}

LOOKS bool unit_locked(void)
{
	return kmap_lock.locked;
}

LOOKS int unit_idx(unsigned int task)
{
	return tasks[task].kmap_ctrl.idx;
}

LOOKS unsigned int unit_waiters(unsigned int colour, unsigned int *found,
				unsigned int most)
{
	const struct list_head *head = &get_pkmap_wait_queue_head(colour)->head;
	unsigned int nr = 0;

	for (const struct list_head *l = head->next; l != head && nr < most;
	     l = l->next) {
		const wait_queue_entry_t *entry = container_of(
			l, wait_queue_entry_t, entry);

		found[nr++] = (unsigned int)(entry->task - tasks);
	}
	return nr;
}

#ifdef WANT_PAGE_VIRTUAL
LOOKS void *unit_peek_address(const void *page)
{
	return page_virtual[linux_page_index(page)];
}
#else
/* A list that is torn leads anywhere: no further than it can be long. */
LOOKS void *unit_peek_address(const void *page)
{
	const struct list_head *head = &page_slot(page)->lh;
	const struct list_head *l = head->next;

	for (unsigned int i = 0; l != head && i <= LAST_PKMAP; i++) {
		const struct page_address_map *map = container_of(
			l, struct page_address_map, list);

		if (map < page_address_maps ||
		    map >= page_address_maps + LAST_PKMAP)
			return (void *)-1;
		if (map->page == page)
			return map->virtual;
		l = l->next;
	}
	return NULL;
}
#endif
