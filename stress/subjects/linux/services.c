/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <highmem/pgtable.h>

#include "stress/subjects/linux/linux.h"
#include "stress/subjects/plain/plain.h"

/* What Linux's file takes from its kernel, on the simulated machine. */

struct highmem linux_state;
struct port_task *linux_switching;

#define CONFIG (&linux_state.config)

/* ---- Words of warning --------------------------------------------------------------- */

static void report(const char *function, int line, const char *what)
{
	char sentence[192];

	plain_settle();
	hm_format(sentence, sizeof(sentence), "kernel BUG in %s, line %u: %s",
		  function, (unsigned int)line, what);
	port_bug(sentence);
}

void linux_bug(const char *function, int line, const char *what)
{
	report(function, line, what);
	sim_stop_run();
}

/* __kmap_to_page() warns of every address but lowmem's: it wants no callers. */
void linux_warn(const char *function, int line, const char *what)
{
	if (strcmp(function, "__kmap_to_page") != 0)
		report(function, line, what);
}

/* ---- The machine ---------------------------------------------------------------------- */

bool linux_force_map(void)
{
	return CONFIG->force_map;
}

unsigned long linux_page_offset(void)
{
	return CONFIG->page_offset;
}

unsigned int linux_nr_slots(void)
{
	return CONFIG->nr_slots;
}

unsigned int linux_nr_colours(void)
{
	return CONFIG->nr_colours;
}

unsigned int linux_page_index(const void *page)
{
	return (unsigned int)((const struct page *)page - CONFIG->mem_map);
}

unsigned long linux_page_to_pfn(const void *page)
{
	return page_to_pfn(&linux_state, page);
}

void *linux_pfn_to_page(unsigned long pfn)
{
	struct page *page = pfn_to_page(&linux_state, (pfn_t)pfn);

	if (page)
		return page;
	return (void *)((uintptr_t)CONFIG->mem_map +
			(pfn - CONFIG->first_pfn) * sizeof(struct page));
}

bool linux_page_is_highmem(const void *page)
{
	return page_is_highmem(&linux_state, page);
}

int linux_cpu(void)
{
	return (int)port_cpu_id();
}

/* ---- Page tables and TLBs ------------------------------------------------------------- */

/*
 * Those of slots and windows follow each other, and stand where they stood in
 * every boot.
 */
void *linux_pte(unsigned long vaddr)
{
	static char *first[2];
	bool pae = sim.config.pae;
	vaddr_t base = pae ? PKMAP_BASE_PAE : PKMAP_BASE_NONPAE;

	if (!first[pae])
		first[pae] = (char *)pgtable_pte(sim_pgtable(), base);
	return first[pae] + ((vaddr - base) >> PAGE_SHIFT) * (pae ? 8 : 4);
}

static void check_entry(unsigned long vaddr, const void *entry)
{
	plain_settle();
	if (entry != linux_pte(vaddr))
		port_bug("a PTE is written that is another address's");
}

void linux_set_pte(unsigned long vaddr, void *entry, uint64_t pte)
{
	check_entry(vaddr, entry);
	port_pte_set(vaddr, pte);
}

void linux_clear_pte(unsigned long vaddr, void *entry)
{
	check_entry(vaddr, entry);
	port_pte_clear(vaddr);
}

/* As on x86: beyond the ceiling, everything. */
void linux_flush_range(unsigned long start, unsigned long end)
{
	unsigned int nr = (unsigned int)((end - start) >> PAGE_SHIFT);
	vaddr_t pages[LINUX_MAX_SLOTS];

	plain_settle();
	if (nr > port_facts()->tlb_flush_ceiling || nr > LINUX_MAX_SLOTS) {
		port_tlb_shootdown_all();
		return;
	}
	for (unsigned int i = 0; i < nr; i++)
		pages[i] = start + i * PAGE_SIZE;
	port_tlb_shootdown_pages(pages, nr);
}

void linux_flush_here(unsigned long vaddr)
{
	plain_settle();
	port_tlb_flush_local_page(vaddr);
}

/* ---- Locks, this CPU -------------------------------------------------------------------- */

void linux_lock(void *lock)
{
	plain_settle();
	plain_touch(lock, sizeof(port_spinlock_t));
	port_spin_lock(lock);
}

void linux_unlock(void *lock)
{
	plain_settle();
	plain_touch(lock, sizeof(port_spinlock_t));
	port_spin_unlock(lock);
}

unsigned long linux_irq_save(void)
{
	plain_settle();
	return port_irq_save();
}

void linux_irq_restore(unsigned long off)
{
	plain_settle();
	port_irq_restore(off != 0);
}

void linux_preempt(bool on)
{
	plain_settle();
	if (on)
		port_preempt_enable();
	else
		port_preempt_disable();
}

void linux_migrate(bool on)
{
	plain_settle();
	if (on)
		port_migrate_enable();
	else
		port_migrate_disable();
}

/* ---- Tasks ---------------------------------------------------------------------------------- */

unsigned int linux_current(void)
{
	return linux_task_of(linux_switching ? linux_switching : sim.running);
}

static void wake(unsigned int *state)
{
	plain_touch(state, sizeof(*state));
	*state = 0;
}

/*
 * The lock of the run queue is a full fence. Whoever is to run already, because
 * somebody woke it before, does not sleep; a wake-up for no reason leaves it to
 * run, too.
 */
void linux_schedule(unsigned int *state)
{
	struct port_task *self = port_task_current();

	plain_settle();
	sim_drain(sim.cpu);
	if (*state != 0)
		port_park(PORT_NO_DEADLINE);
	else
		sim_point(SIM_PARK);
	self->token = false;
	wake(state);
}

/* The lock of the task is a full fence, before its state is looked at. */
void linux_wake(unsigned int task, unsigned int *state)
{
	plain_settle();
	sim_drain(sim.cpu);
	if (*state == 0)
		return;
	wake(state);
	port_unpark(&sim.tasks[task - 1]);
}
