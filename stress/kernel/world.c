/* SPDX-License-Identifier: MIT */

#include "stress/kernel/world.h"

#include <highmem/format.h>

#include "core/ports/i686/i686.h"

static struct {
	struct highmem *hm;
	bool failed;
	char sentence[192];
} world;

static uint32_t tag(unsigned int nr)
{
	return 0x7a670000 + nr;
}

struct highmem *world_hm(void)
{
	return world.hm;
}

struct page *world_page(unsigned int nr)
{
	return &world.hm->config.mem_map[MACHINE_LOWMEM_PAGES + nr];
}

void world_fail(const char *format, ...)
{
	va_list args;

	if (world.failed)
		return;
	world.failed = true;
	va_start(args, format);
	hm_vformat(world.sentence, sizeof(world.sentence), format, args);
	va_end(args);
}

void world_boot(unsigned int nr_slots)
{
	world_boot_on(1, nr_slots);
}

void world_boot_on(unsigned int nr_cpus, unsigned int nr_slots)
{
	static const struct machine_config config = {
		.nr_colours = 1,
		.nr_pages = WORLD_PAGES,
		.local_depth = KM_MAX_IDX,
	};
	struct machine_config sized = config;

	sized.nr_cpus = nr_cpus;
	sized.nr_slots = nr_slots;
	sized.pae = port_facts()->pae;
	world.failed = false;
	world.hm = machine_boot(&sized);
	for (unsigned int i = 0; i < WORLD_PAGES; i++)
		machine_poke32(world_page(i), 0, tag(i));
}

const char *world_run(void)
{
	const char *why;

	if (machine_run() == MACHINE_STALLED) {
		i686_print_state();
		world_fail("a task sleeps and nobody will wake it");
	}
	why = machine_take_bug();
	if (why)
		world_fail("%s", why);
	why = machine_audit();
	if (why)
		world_fail("%s", why);
	why = highmem_validate(world.hm);
	if (why)
		world_fail("%s", why);
	for (unsigned int i = 0; i < WORLD_PAGES; i++)
		if (machine_peek32(world_page(i), 0) != tag(i))
			world_fail("the tag of page %u was overwritten", i);
	machine_shutdown();
	return world.failed ? world.sentence : NULL;
}

void world_check_tag(const void *vaddr, unsigned int nr)
{
	uint32_t seen;

	if (!vaddr) {
		world_fail("page %u was not mapped", nr);
		return;
	}
	seen = machine_load32(vaddr);
	if (seen != tag(nr))
		world_fail("%p should be page %u, tag %x, but CPU %u reads %x",
			   (vaddr_t)vaddr, nr, tag(nr), port_cpu_id(), seen);
}

/* What the hardware would forget or change behind our back. */
#define MMU_BITS (PTE_ACCESSED | PTE_DIRTY)

static void read_windows(pte_t windows[KM_MAX_IDX])
{
	for (unsigned int i = 0; i < KM_MAX_IDX; i++)
		windows[i] = port_pte_read(fixmap_vaddr(FIX_KMAP_BEGIN + i)) &
			     ~MMU_BITS;
}

static void intrude_local(void)
{
	void *vaddr = kmap_local_page(world.hm, world_page(WORLD_IRQ_PAGE));

	world_check_tag(vaddr, WORLD_IRQ_PAGE);
	if (vaddr)
		kunmap_local(world.hm, vaddr);
}

static void intrude_pkmap(void)
{
	struct page *page = world_page(WORLD_SHARED_PAGE);
	void *vaddr = kmap_high_get(world.hm, page);

	if (!vaddr)
		return;
	world_check_tag(vaddr, WORLD_SHARED_PAGE);
	kunmap(world.hm, page);
}

void world_intrude(void *unused)
{
	pte_t before[KM_MAX_IDX], after[KM_MAX_IDX];

	(void)unused;
	read_windows(before);
	intrude_local();
	intrude_pkmap();
	read_windows(after);
	for (unsigned int i = 0; i < KM_MAX_IDX; i++)
		if (before[i] != after[i])
			world_fail("an interrupt turned the PTE of window %u "
				   "from %x to %x",
				   i, (uint32_t)before[i], (uint32_t)after[i]);
}
