/* SPDX-License-Identifier: MIT */

/* This CPU's TLB, and everybody's. */

#include "core/ports/i686/cpu.h"
#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"

static struct {
	port_atomic_t local_pages, shootdowns, pages, full;
} flushed;

struct machine_tlb_stats tlb_stats(void)
{
	return (struct machine_tlb_stats){
		.local_pages = port_atomic_load(&flushed.local_pages),
		.shootdowns = port_atomic_load(&flushed.shootdowns),
		.shootdown_pages = port_atomic_load(&flushed.pages),
		.full = port_atomic_load(&flushed.full),
	};
}

void tlb_stats_reset(void)
{
	port_atomic_store(&flushed.local_pages, 0);
	port_atomic_store(&flushed.shootdowns, 0);
	port_atomic_store(&flushed.pages, 0);
	port_atomic_store(&flushed.full, 0);
}

/* ---- Here -------------------------------------------------------------------- */

static void flush_page(vaddr_t vaddr)
{
	i686_invlpg(vaddr);
	i686_cpu_count(invlpgs);
}

static void flush_everything(void *unused)
{
	(void)unused;
	write_cr3(read_cr3());
	i686_cpu_count(full_flushes);
}

void port_tlb_flush_local_page(vaddr_t vaddr)
{
	flush_page(vaddr);
	port_atomic_fetch_add(&flushed.local_pages, 1);
	i686_note("flush_local", (uint32_t)vaddr, 0);
}

/* ---- Everywhere ---------------------------------------------------------------- */

/* The CPUs of this machine: no other has used its addresses. */
static uint32_t every_cpu(void)
{
	return ((uint32_t)1 << sched_nr_cpus()) - 1;
}

struct flush {
	const vaddr_t *pages;
	unsigned int nr;
};

static void flush_pages(void *arg)
{
	const struct flush *flush = arg;

	for (unsigned int i = 0; i < flush->nr; i++)
		flush_page(flush->pages[i]);
}

/* The caller waits here for the answers of other CPUs, and owes them his. */
static void check_shootdown_context(void)
{
	if (i686_cpu_irq_depth() || !(i686_eflags() & I686_EFLAGS_IF))
		port_bug("shootdown in an interrupt or with interrupts off");
}

void port_tlb_shootdown_pages(const vaddr_t *pages, unsigned int nr)
{
	struct flush flush = { pages, nr };

	check_shootdown_context();
	i686_note("shootdown", nr ? (uint32_t)pages[0] : 0, nr);
	smp_call(every_cpu(), flush_pages, &flush);
	port_atomic_fetch_add(&flushed.shootdowns, 1);
	port_atomic_fetch_add(&flushed.pages, nr);
}

void port_tlb_shootdown_all(void)
{
	check_shootdown_context();
	i686_note("shootdown_all", 0, 0);
	smp_call(every_cpu(), flush_everything, NULL);
	port_atomic_fetch_add(&flushed.shootdowns, 1);
	port_atomic_fetch_add(&flushed.full, 1);
}

/* ---- Tests --------------------------------------------------------------------- */

void tlb_flush_machine(void)
{
	smp_call(every_cpu(), flush_everything, NULL);
}

static const struct highmem_config *audited;
static const char *seen_wrong[HIGHMEM_MAX_CPUS];

static void audit_here(void *unused)
{
	(void)unused;
	seen_wrong[port_cpu_id()] = paging_audit(audited);
}

const char *tlb_audit(const struct highmem_config *config)
{
	audited = config;
	smp_call(every_cpu(), audit_here, NULL);
	for (unsigned int cpu = 0; cpu < sched_nr_cpus(); cpu++)
		if (seen_wrong[cpu])
			return seen_wrong[cpu];
	return NULL;
}
