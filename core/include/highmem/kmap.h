/* SPDX-License-Identifier: MIT */
#ifndef HIGHMEM_KMAP_H
#define HIGHMEM_KMAP_H

/*
 * Persistent maps: kmap() gives a highmem page a kernel address that every
 * CPU may use, in a slot of the pkmap area, until kunmap(). The names and the
 * 0/1/n counts are those of Linux, mm/highmem.c.
 *
 * In order of preference: kmap_local_page() (kmap_local.h), which never
 * sleeps and costs no shootdown; kmap(), when the address must outlive a
 * context switch to another task or be handed to one; kmap_try() where the
 * caller has another way.
 *
 * A task that holds one kmap and asks for another can deadlock with others
 * that do the same once all slots are held. The core cannot see that; the
 * harness names it.
 */

#include <highmem/page.h>

/*
 * Map @page, sleeping until a slot is free. A second map of the same page
 * shares the first one's slot. Lowmem pages cost nothing. Waiters are served
 * in order. Returns the address; NULL only for a misuse, which is reported:
 * sleeping is not allowed, or the page has PKMAP_COUNT_MAX - 1 users already.
 * Context: port_may_sleep().
 */
void *kmap(struct highmem *hm, struct page *page);

/*
 * Like kmap(), but NULL instead of sleeping. It does not overtake tasks that
 * already wait. Context: port_may_sleep() (a flush may be needed).
 */
void *kmap_try(struct highmem *hm, struct page *page);

/*
 * Like kmap(), but NULL when port_now() has reached @deadline (in ticks) and
 * no slot was handed over. Context: port_may_sleep().
 */
void *kmap_timeout(struct highmem *hm, struct page *page, uint64_t deadline);

/*
 * Like kmap(), but NULL when the task would have to wait on and
 * port_signal_pending() says that it shall give up. A slot that was handed
 * over before it did is the caller's: the address is returned, signal or not,
 * so that no slot goes with a task that has gone. Context: port_may_sleep().
 */
void *kmap_killable(struct highmem *hm, struct page *page);

/*
 * Undo one kmap() of @page. The mapping stays for the next kmap() until its
 * slot is needed. An unmap of a page that nobody maps is reported, at this call
 * and always, and does nothing. (One that takes the place of another task's is
 * not found out: a count does not know whose it is.) Context: any.
 */
void kunmap(struct highmem *hm, struct page *page);

/*
 * Take part in a mapping that exists: the address of @page if it has a slot,
 * live or idle, else NULL. Balanced by kunmap(). Takes no lock.
 * Context: any, interrupts too.
 */
void *kmap_high_get(struct highmem *hm, struct page *page);

/*
 * Unmap and flush all pages that no one uses, as before a change of page
 * attributes. When it returns, no page that had no user at any time during the
 * call is in any PTE of the pkmap area or in any CPU's TLB, also while slots go
 * from one task to another. Context: port_may_sleep().
 */
void kmap_flush_unused(struct highmem *hm);

/*
 * The page behind a kernel address: direct map, pkmap or a local window of any
 * CPU, any byte of the page. NULL when nothing is mapped there.
 * Context: any; the mapping must be held by the caller.
 */
struct page *kmap_to_page(struct highmem *hm, const void *vaddr);

#endif
