/* SPDX-License-Identifier: MIT */

/*
 * core/port/machine.h on the bare metal. mem_map begins with two frames of
 * the direct map, and goes on with real highmem from all over the RAM.
 */

#include "core/port/machine.h"

#include <highmem/format.h>

#include "core/ports/i686/internal.h"
#include "core/ports/i686/smp.h"
#include "core/ports/i686/spread.h"
#include "core/ports/i686/string.h"

static struct highmem_config geometry;
static struct page mem_map[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static struct page_range ranges[1 + SPREAD_MAX_PIECES];
static bool up;

static const char *fewer_cpus(void)
{
	static char why[40];

	hm_format(why, sizeof(why), "this PC has %u CPU%s", smp_nr_cpus(),
		  smp_nr_cpus() == 1 ? "" : "s");
	return why;
}

const char *machine_init(struct bootmem *bootmem)
{
	/* The pages after them, the highmem, begin with colour 0. */
	pfn_t pfn = bootmem_alloc_row(bootmem, MACHINE_LOWMEM_PAGES,
				      SPREAD_COLOURS - MACHINE_LOWMEM_PAGES,
				      SPREAD_COLOURS);

	ranges[0] = (struct page_range){ pfn, MACHINE_LOWMEM_PAGES };
	return pfn == BOOTMEM_NONE ? "no memory below 8 MiB is left" : NULL;
}

static const char *pae_differs(bool wanted)
{
	if (wanted)
		return "this kernel runs without PAE: boot it with pae";
	return "this kernel runs with PAE: boot it with nopae";
}

const char *machine_can(const struct machine_config *config)
{
	struct page_range pieces[SPREAD_MAX_PIECES];
	unsigned int nr = config->nr_slots;

	if (config->nr_cpus < 1 || config->nr_pages < 1)
		return "a machine has at least one CPU and one highmem page";
	if (nr < 2 || nr > i686_layout()->last_pkmap)
		return "a machine has 2 to 1024 slots, with PAE 512";
	if (config->nr_cpus > smp_nr_cpus())
		return fewer_cpus();
	if (config->pae != paging_has_pae())
		return pae_differs(config->pae);
	if (config->sparse_cpus)
		return "the i686 port numbers its CPUs without holes";
	if (config->full_flush)
		return "the i686 port flushes up to 32 pages one by one";
	if (config->nested_irqs)
		return "the i686 port has no nested interrupts so far";
	if (config->nr_pages > MACHINE_MAX_PAGES)
		return "a machine has at most 4096 highmem pages";
	if (!spread_pages(&i686_layout()->highmem, config->nr_pages, pieces))
		return "there is not so much highmem: boot with more RAM, or "
		       "with highmem=32M";
	return machine_shape_wrong(config);
}

/* Unrolled, since machines are built by the thousand and QEMU is slow at rep. */
static void clear_page(volatile uint32_t *words)
{
#pragma clang loop unroll_count(32)
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*words); i++)
		words[i] = 0;
}

static void clear_frames(const struct page_range *range)
{
	port_irq_t flags = port_irq_save();

	for (unsigned int i = 0; i < range->nr_pages; i++)
		clear_page(paging_frame(range->first_pfn + i));
	port_irq_restore(flags);
}

const struct highmem_config *
machine_boot_guest(const struct machine_config *config,
		   const struct guest *guest)
{
	const struct layout *layout = i686_layout();
	unsigned int nr_pages = MACHINE_LOWMEM_PAGES + config->nr_pages;
	unsigned int nr_ranges = 1 + spread_pages(&layout->highmem,
						  config->nr_pages, &ranges[1]);
	const char *why;

	if (up || machine_can(config))
		i686_panic("machine_boot: %s",
			   up ? "a machine is up" : machine_can(config));
	geometry = (struct highmem_config){
		.mem_map = mem_map,
		.nr_pages = nr_pages,
		.nr_ranges = nr_ranges,
		.ranges = ranges,
		.highmem_start_pfn = layout->lowmem_end,
		.page_offset = layout->page_offset,
		.prot = paging_data_prot(),
		.pkmap_base = layout->pkmap_base,
		.nr_slots = config->nr_slots,
		.nr_colours = config->nr_colours,
		.local_depth = config->local_depth,
		.force_map = config->force_map,
	};
	for (unsigned int i = 0; i < nr_ranges; i++)
		clear_frames(&ranges[i]);
	memset(mem_map, 0, nr_pages * sizeof(mem_map[0]));
	sched_reset(NULL, config->nr_cpus);
	paging_reset();
	tlb_flush_machine();
	tlb_stats_reset();
	why = guest->boot(&geometry);
	if (why)
		port_bug(why);
	sched_reset(guest, config->nr_cpus);
	up = true;
	return &geometry;
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
	return machine_pfn(&geometry, (uint32_t)(page - mem_map));
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

/* A processor does not say; machine_audit() reads through what it has. */
bool machine_tlb_has(unsigned int nr, vaddr_t vaddr, pfn_t *pfn)
{
	(void)nr;
	(void)vaddr;
	(void)pfn;
	return false;
}

bool machine_changed_ptes(const vaddr_t **changed, unsigned int *nr)
{
	(void)changed;
	(void)nr;
	return false;
}

const char *machine_audit(void)
{
	return up ? tlb_audit(&geometry) : NULL;
}

struct machine_tlb_stats machine_tlb_stats(void)
{
	return tlb_stats();
}
