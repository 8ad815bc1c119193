/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/ports/sim/sim.h"

#define FIRST_HIGHMEM_PFN_PAE 0x100000 /* 4 GiB: needs the upper word */

#define MAX_BUGS 16

struct sim sim;

static struct page_range ranges[MACHINE_MAX_RANGES];
static struct page mem_map[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static char bugs[MAX_BUGS][192];
static unsigned int bugs_told;
static unsigned int bugs_taken;
static const char *refused;

void sim_bugs_reset(void)
{
	bugs_told = 0;
	bugs_taken = 0;
}

/* The first MAX_BUGS untaken sentences are kept; what follows adds little. */
void port_bug(const char *sentence)
{
	size_t len;

	if (bugs_told - bugs_taken == MAX_BUGS)
		return;
	len = strnlen(sentence, sizeof(bugs[0]) - 1);
	memcpy(bugs[bugs_told % MAX_BUGS], sentence, len);
	bugs[bugs_told % MAX_BUGS][len] = '\0';
	bugs_told++;
}

static jmp_buf *catcher;

void sim_catch_panic(jmp_buf *to)
{
	catcher = to;
}

void port_panic(const char *sentence)
{
	port_bug(sentence);
	sim_stop_for_panic();
	if (catcher)
		longjmp(*catcher, 1);
	fprintf(stderr, "%s\n", sentence);
	abort();
}

const char *machine_take_bug(void)
{
	if (bugs_taken == bugs_told)
		return NULL;
	return bugs[bugs_taken++ % MAX_BUGS];
}

const char *machine_can(const struct machine_config *config)
{
	unsigned int max_slots = config->pae ? LAST_PKMAP_PAE
					     : LAST_PKMAP_NONPAE;

	if (config->nr_cpus < 1 || config->nr_cpus > HIGHMEM_MAX_CPUS)
		return "a machine has 1 to 8 CPUs";
	if (config->nr_pages < 1 || config->nr_pages > MACHINE_MAX_PAGES)
		return "a machine has 1 to 4096 highmem pages";
	if (config->nr_slots < 2 || config->nr_slots > max_slots)
		return "a machine has 2 to 1024 slots, with PAE 2 to 512";
	return machine_shape_wrong(config);
}

static pfn_t first_highmem(void)
{
	return sim.config.pae ? FIRST_HIGHMEM_PFN_PAE : MACHINE_LOWMEM_END;
}

uint32_t sim_frame_index(pfn_t pfn)
{
	return machine_frame(&sim.config, first_highmem(), pfn);
}

static void make_geometry(struct highmem_config *geometry)
{
	*geometry = (struct highmem_config){
		.mem_map = mem_map,
		.first_pfn = MACHINE_LOWMEM_PFN,
		.nr_pages = sim.config.nr_pages + MACHINE_LOWMEM_PAGES,
		.nr_ranges = machine_ranges(&sim.config, first_highmem(),
					    ranges),
		.ranges = ranges,
		.highmem_start_pfn = MACHINE_LOWMEM_END,
		.page_offset = SIM_LOWMEM_BASE -
			       ((vaddr_t)MACHINE_LOWMEM_PFN << PAGE_SHIFT),
		.prot = PTE_PRESENT | PTE_WRITE,
		.pkmap_base = sim.config.pae ? PKMAP_BASE_PAE
					     : PKMAP_BASE_NONPAE,
		.nr_slots = sim.config.nr_slots,
		.nr_colours = sim.config.nr_colours,
		.local_depth = sim.config.local_depth,
		.force_map = sim.config.force_map,
	};
}

const struct highmem_config *
machine_boot_guest(const struct machine_config *config,
		   const struct guest *guest)
{
	const char *why;

	sim.config = *config;
	sim.guest = guest;
	sim.up = true;
	sim.facts = (struct port_facts){
		.name = "sim",
		.pae = config->pae,
		.cpu_mask = machine_cpu_mask(config),
		.tlb_flush_ceiling = config->full_flush ? 1 : 33,
	};
	for (unsigned int c = 0; c < config->nr_cpus; c++)
		sim.cpus[c].id = machine_cpu_id(c);
	sim.tlb_stats = (struct machine_tlb_stats){ 0 };
	sim_bugs_reset();
	sim_tasks_reset();
	sim_control_reset();
	make_geometry(&sim.geometry);
	memset(mem_map, 0, sim.geometry.nr_pages * sizeof(mem_map[0]));
	refused = sim_mmu_reset(&sim.geometry);
	why = guest->boot(&sim.geometry);
	if (why)
		port_bug(why);
	return &sim.geometry;
}

const char *sim_boot_refused(void)
{
	return refused;
}

void machine_shutdown(void)
{
	sim.up = false;
}

const char *machine_audit(void)
{
	const char *why = sim_tlb_audit();

	if (!why)
		sim_tlb_load_changed();
	return why;
}

bool machine_changed_ptes(const vaddr_t **changed, unsigned int *nr)
{
	*changed = sim_tlb_changed(nr);
	return *changed != NULL;
}

struct machine_tlb_stats machine_tlb_stats(void)
{
	return sim.tlb_stats;
}
