/* SPDX-License-Identifier: MIT */

/*
 * core/testing/machine.h on the bare metal: mem_map begins with the last
 * frames of the direct map and goes on into real highmem.
 */

#include "core/testing/machine.h"

#include <highmem/format.h>

#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"
#include "core/ports/i686/string.h"

#define FIRST_PFN (I686_HIGHMEM_PFN - MACHINE_LOWMEM_PAGES)

static struct highmem highmem;
static struct page mem_map[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static bool up;

static const char *fewer_cpus(void)
{
	static char why[40];

	hm_format(why, sizeof(why), "this PC has %u CPU%s", smp_nr_cpus(),
		  smp_nr_cpus() == 1 ? "" : "s");
	return why;
}

const char *machine_can(const struct machine_config *config)
{
	unsigned int nr = config->nr_slots;

	if (config->nr_cpus < 1 || config->nr_pages < 1)
		return "a machine has at least one CPU and one highmem page";
	if (nr < 2 || nr > LAST_PKMAP_NONPAE)
		return "a machine has 2 to 1024 slots";
	if (config->nr_cpus > smp_nr_cpus())
		return fewer_cpus();
	if (config->pae)
		return "the i686 port has no PAE so far";
	if (config->nested_irqs)
		return "the i686 port has no nested interrupts so far";
	if (config->nr_pages > MACHINE_MAX_PAGES)
		return "a machine has at most 4096 highmem pages";
	return NULL;
}

/* Unrolled, since machines are built by the thousand and QEMU is slow at rep. */
static void clear_page(volatile uint32_t *words)
{
#pragma clang loop unroll_count(32)
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		words[i] = 0;
}

static void clear_frames(unsigned int nr)
{
	port_irq_t flags = port_irq_save();

	for (unsigned int i = 0; i < nr; i++)
		clear_page(paging_frame(FIRST_PFN + i));
	port_irq_restore(flags);
}

struct highmem *machine_boot(const struct machine_config *config)
{
	unsigned int nr_pages = MACHINE_LOWMEM_PAGES + config->nr_pages;
	const struct highmem_config highmem_config = {
		.mem_map = mem_map,
		.first_pfn = FIRST_PFN,
		.nr_pages = nr_pages,
		.highmem_start_pfn = I686_HIGHMEM_PFN,
		.page_offset = I686_PAGE_OFFSET,
		.prot = PTE_PRESENT | PTE_WRITE,
		.pkmap_base = PKMAP_BASE_NONPAE,
		.nr_slots = config->nr_slots,
		.nr_colours = config->nr_colours,
		.local_depth = config->local_depth,
		.force_map = config->force_map,
	};
	const char *why;

	if (up || machine_can(config))
		i686_panic("machine_boot: %s",
			   up ? "a machine is up" : machine_can(config));
	clear_frames(nr_pages);
	memset(mem_map, 0, nr_pages * sizeof(mem_map[0]));
	sched_reset(NULL, config->nr_cpus);
	paging_reset();
	tlb_flush_machine();
	tlb_stats_reset();
	why = highmem_init(&highmem, &highmem_config);
	if (why)
		port_bug(why);
	sched_reset(&highmem, config->nr_cpus);
	up = true;
	return &highmem;
}

void machine_shutdown(void)
{
	if (!up)
		return;
	drop_bugs();
	up = false;
	sched_reset(NULL, 1);
	paging_reset();
}

/* ---- Memory ------------------------------------------------------------------- */

static void report_fault(const volatile void *vaddr, const char *what)
{
	char sentence[80];

	hm_format(sentence, sizeof(sentence), "page fault at %x: %s",
		  (uint32_t)vaddr, what);
	port_bug(sentence);
}

uint32_t machine_load32(const void *vaddr)
{
	uint32_t value = 0;

	if (!i686_probe_load(vaddr, &value))
		report_fault(vaddr, "read of a page that is not mapped");
	return value;
}

void machine_store32(void *vaddr, uint32_t value)
{
	if (!i686_probe_store(vaddr, value))
		report_fault(vaddr, "write to a page that is not mapped");
}

static pfn_t frame_of(const struct page *page)
{
	return FIRST_PFN + (pfn_t)(page - mem_map);
}

uint32_t machine_peek32(const struct page *page, unsigned int offset)
{
	port_irq_t flags = port_irq_save();
	uint32_t value = paging_frame(frame_of(page))[offset / 4];

	port_irq_restore(flags);
	return value;
}

void machine_poke32(struct page *page, unsigned int offset, uint32_t value)
{
	port_irq_t flags = port_irq_save();

	paging_frame(frame_of(page))[offset / 4] = value;
	port_irq_restore(flags);
}

/* ---- Verdicts ------------------------------------------------------------------ */

const char *machine_audit(void)
{
	return up ? tlb_audit(&highmem.config) : NULL;
}

struct machine_tlb_stats machine_tlb_stats(void)
{
	return tlb_stats();
}
