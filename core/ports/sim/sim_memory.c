/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "core/ports/sim/sim_mmu.h"

/*
 * Physical memory: a few frames for the page tables at the bottom, and the
 * frames of mem_map. Page tables are words in frames, in the i386's format.
 */

port_atomic_t sim_tables[SIM_TABLE_FRAMES][SIM_TABLE_WORDS];

static uint8_t page_frames[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES][PAGE_SIZE];

/*
 * What differs from a fresh boot, so that a reset costs as much as what
 * happened: pages, which of each one's 64 pieces, and which of the tables'.
 */
#define PAGE_PIECE (PAGE_SIZE / 64)
#define TABLE_PIECE (sizeof(sim_tables) / 64)

static uint16_t dirty[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static uint64_t dirty_pieces[MACHINE_LOWMEM_PAGES + MACHINE_MAX_PAGES];
static unsigned int nr_dirty;
static uint64_t dirty_tables;

/* An aligned word lies in one piece. */
static uint32_t *page_word(uint32_t index, unsigned int offset)
{
	if (dirty_pieces[index] == 0)
		dirty[nr_dirty++] = (uint16_t)index;
	dirty_pieces[index] |= UINT64_C(1) << offset / PAGE_PIECE;
	return (uint32_t *)(void *)(page_frames[index] + offset);
}

/* A word of the tables, about to be written. */
static port_atomic_t *table_word(pfn_t frame, unsigned int offset)
{
	dirty_tables |= UINT64_C(1)
			<< (frame * PAGE_SIZE + offset) / TABLE_PIECE;
	return &sim_tables[frame][offset / sizeof(port_atomic_t)];
}

static bool is_table(uint64_t pfn)
{
	return pfn - SIM_TABLE_PFN < SIM_TABLE_FRAMES;
}

/* A word of a physical frame, or NULL where there is no memory. */
uint32_t *sim_frame_word(pfn_t pfn, unsigned int offset)
{
	uint32_t index = sim_frame_index(pfn);

	/* A wild map, of a broken core: anything may change. */
	if (is_table(pfn)) {
		sim_tlb_all_changed();
		return &table_word(pfn - SIM_TABLE_PFN, offset)->value;
	}
	return index == UINT32_MAX ? NULL : page_word(index, offset);
}

/* ---- What a processor's walk sees ------------------------------------------------ */

/* Memory, not store buffers: a walk sees what has arrived there. */
static bool walk_read(void *arg, uint64_t paddr, uint32_t *word)
{
	uint64_t pfn = paddr >> PAGE_SHIFT;

	(void)arg;
	if (!is_table(pfn))
		return false;
	*word = sim_tables[pfn - SIM_TABLE_PFN][paddr % PAGE_SIZE / 4].value;
	return true;
}

/* A locked access of the processor's own: it goes to memory at once. */
static bool walk_write(void *arg, uint64_t paddr, uint32_t word)
{
	uint64_t pfn = paddr >> PAGE_SHIFT;

	(void)arg;
	if (!is_table(pfn))
		return false;
	table_word((pfn_t)pfn - SIM_TABLE_PFN, paddr % PAGE_SIZE)->value = word;
	return true;
}

const struct walk_memory sim_walk_memory = {
	.read = walk_read,
	.write = walk_write,
};

/* ---- Page tables ----------------------------------------------------------------- */

/*
 * They are the core's: built once for each shape of machine, and then copied.
 * Where an allocation is to fail they are built at that boot.
 */
static struct pgtable tree;
static bool taken[SIM_TABLE_FRAMES];
static unsigned int nr_allocs;
static uint8_t failing; /* as SIM_ALLOC names it */

static struct {
	bool built;
	unsigned int nr_allocs;
	struct pgtable tree;
	bool taken[SIM_TABLE_FRAMES];
	port_atomic_t tables[SIM_TABLE_FRAMES][SIM_TABLE_WORDS];
} fresh[2]; /* without PAE, with it */

_Static_assert(2 * SIM_TABLE_FRAMES < SIM_MAX_OPTIONS,
	       "each allocation can fail once, and with all after it");

static bool alloc_fails(void)
{
	unsigned int nr = failing & ~SIM_ALLOC_ON;

	nr_allocs++;
	return nr != 0 &&
	       (failing & SIM_ALLOC_ON ? nr_allocs >= nr : nr_allocs == nr);
}

static pfn_t alloc_table(void *arg)
{
	(void)arg;
	if (alloc_fails())
		return PGTABLE_NO_FRAME;
	for (pfn_t i = 0; i < SIM_TABLE_FRAMES; i++) {
		if (!taken[i]) {
			taken[i] = true;
			return SIM_TABLE_PFN + i;
		}
	}
	return PGTABLE_NO_FRAME;
}

static void free_table(void *arg, pfn_t pfn)
{
	(void)arg;
	if (!is_table(pfn) || !taken[pfn - SIM_TABLE_PFN])
		port_bug("sim: a frame was given back that was not taken");
	else
		taken[pfn - SIM_TABLE_PFN] = false;
}

static port_atomic_t *table_of(void *arg, pfn_t pfn)
{
	(void)arg;
	return sim_tables[pfn - SIM_TABLE_PFN];
}

static const char *map_lowmem(const struct highmem_config *config)
{
	paddr_t paddr = (paddr_t)config->first_pfn << PAGE_SHIFT;
	const struct pgtable_range range = {
		.vaddr = config->page_offset + (vaddr_t)paddr,
		.paddr = paddr,
		.size = MACHINE_LOWMEM_PAGES * PAGE_SIZE,
		.prot = PTE_PRESENT | PTE_WRITE,
	};

	return pgtable_map(&tree, &range);
}

/* From what nobody has taken; @fails: as SIM_ALLOC names it. */
static const char *build_tables(const struct highmem_config *config,
				uint8_t fails)
{
	static const struct pgtable_memory memory = {
		.alloc = alloc_table,
		.free = free_table,
		.table = table_of,
	};
	vaddr_t fixmap = FIXADDR_START;
	uint64_t slots = sim.config.pae ? LAST_PKMAP_PAE : LAST_PKMAP_NONPAE;
	const char *why;

	dirty_tables = UINT64_MAX;
	nr_allocs = 0;
	failing = fails;
	why = pgtable_init(&tree, &memory, sim.config.pae, sim.config.pae);
	if (!why)
		why = map_lowmem(config);
	if (!why)
		why = pgtable_prepare(&tree, config->pkmap_base,
				      slots * PAGE_SIZE);
	if (!why)
		why = pgtable_prepare(&tree, fixmap, FIXADDR_TOP - fixmap);
	if (why)
		pgtable_destroy(&tree);
	return why;
}

/* As they were when they were built. */
static void copy_fresh(unsigned int shape)
{
	tree = fresh[shape].tree;
	memcpy(taken, fresh[shape].taken, sizeof(taken));
	for (unsigned int i = 0; dirty_tables >> i != 0; i++) {
		size_t at = i * TABLE_PIECE;

		if (dirty_tables >> i & 1)
			memcpy((char *)sim_tables + at,
			       (const char *)fresh[shape].tables + at,
			       TABLE_PIECE);
		if (i == 63)
			break;
	}
	dirty_tables = 0;
}

static void build_fresh(const struct highmem_config *config, unsigned int shape)
{
	const char *why;

	memset(taken, 0, sizeof(taken));
	why = build_tables(config, 0);
	if (why)
		port_bug(why);
	fresh[shape].nr_allocs = nr_allocs;
	fresh[shape].tree = tree;
	memcpy(fresh[shape].taken, taken, sizeof(taken));
	memcpy(fresh[shape].tables, sim_tables, sizeof(sim_tables));
	fresh[shape].built = true;
}

static unsigned int nr_taken(void)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < SIM_TABLE_FRAMES; i++)
		nr += taken[i];
	return nr;
}

static void report_failing(uint8_t fails, const char *format, ...)
{
	char what[128];
	char sentence[192];
	va_list args;

	va_start(args, format);
	hm_vformat(what, sizeof(what), format, args);
	va_end(args);
	hm_format(sentence, sizeof(sentence),
		  "allocation %u of the boot fails%s", fails & ~SIM_ALLOC_ON,
		  what);
	port_bug(sentence);
}

/* A boot has ended in which an allocation @fails; @why: the core's sentence. */
static bool is_refused_cleanly(uint8_t fails, const char *why)
{
	unsigned int kept = nr_taken();

	if (!why)
		report_failing(fails, ", and the boot goes on all the same");
	else if (kept > 0)
		report_failing(fails, ": %u frame%s not given back", kept,
			       kept == 1 ? " is" : "s are");
	return why && kept == 0;
}

/*
 * A boot in which an allocation @fails. The core has to refuse it and to give
 * back all that it took; then it boots again, from that. Returns its sentence;
 * NULL if it does not, which has been reported.
 */
static const char *boot_failing(const struct highmem_config *config,
				uint8_t fails)
{
	static char sentence[128]; /* outlives the tree that it was in */
	const char *why;

	memset(taken, 0, sizeof(taken));
	why = build_tables(config, fails);
	if (!is_refused_cleanly(fails, why))
		return NULL;
	hm_format(sentence, sizeof(sentence), "%s", why);
	why = build_tables(config, 0);
	if (!why)
		return sentence;
	report_failing(fails, ", and the next boot is refused, too: %s", why);
	return NULL;
}

/* Tables for the machine. */
static const char *reset_tables(const struct highmem_config *config)
{
	static unsigned int last_shape;
	unsigned int shape = sim.config.pae;
	const char *why = NULL;
	uint8_t fails;

	if (!fresh[shape].built)
		build_fresh(config, shape);
	fails = sim_choose_alloc(fresh[shape].nr_allocs);
	if (fails != 0)
		why = boot_failing(config, fails);
	if (shape != last_shape)
		dirty_tables = UINT64_MAX;
	last_shape = shape;
	if (!why)
		copy_fresh(shape);
	sim_find_windows(&tree);
	return why;
}

void sim_table_touch(const port_atomic_t *word)
{
	size_t at = (size_t)(word - sim_tables[0]) * sizeof(*word);

	table_word((pfn_t)(at / PAGE_SIZE), at % PAGE_SIZE);
}

struct pgtable *sim_pgtable(void)
{
	dirty_tables = UINT64_MAX;
	return &tree;
}

/* ---- Pages past every translation -------------------------------------------- */

static uint32_t *word_of(const struct page *page, unsigned int offset)
{
	return page_word((uint32_t)(page - sim.geometry.mem_map), offset);
}

uint32_t machine_peek32(const struct page *page, unsigned int offset)
{
	size_t index = (size_t)(page - sim.geometry.mem_map);

	return *(const uint32_t *)(const void *)(page_frames[index] + offset);
}

void machine_poke32(struct page *page, unsigned int offset, uint32_t value)
{
	if (machine_peek32(page, offset) != value)
		*word_of(page, offset) = value;
}

/* The words of a page that a program can touch (stress/oracle/oracle.c). */
static uint64_t hash_page(uint64_t hash, uint32_t index)
{
	const uint32_t *words = (const void *)page_frames[index];

	for (unsigned int i = 0; i <= 6; i++)
		hash = sim_mix(hash, words[16 * i]);
	return sim_mix(hash, words[PAGE_SIZE / 4 - 1]);
}

uint64_t sim_mmu_hash(uint64_t hash)
{
	hash = sim_hash_ptes(hash);
	for (uint32_t i = 0; i < sim.geometry.nr_pages; i++)
		hash = hash_page(hash, i);
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++)
		hash = sim_mix(hash, sim_tlb_hash(&sim.cpus[c]));
	return hash;
}

/*
 * The memory is this file's own, in bounds by construction, and each run cleans
 * some hundred pieces: ASan's memset() would take longer than all of it.
 */
__attribute__((no_sanitize("address"))) static void
clean_page(unsigned int index)
{
	for (uint64_t left = dirty_pieces[index]; left != 0; left &= left - 1)
		__builtin_memset(page_frames[index] +
					 __builtin_ctzll(left) * PAGE_PIECE,
				 0, PAGE_PIECE);
	dirty_pieces[index] = 0;
}

static void reset_cpus(void)
{
	struct walk_cpu cpu = {
		.pae = sim.config.pae,
		.pse = true,
		.nxe = sim.config.pae,
		.wp = true,
		.phys_bits = 36,
	};

	if (!walk_load_cr3(&cpu, &sim_walk_memory,
			   (uint32_t)tree.root << PAGE_SHIFT))
		port_bug("sim: CR3 cannot be loaded");
	for (unsigned int c = 0; c < sim.config.nr_cpus; c++) {
		sim.cpus[c].mmu = cpu;
		memset(sim.cpus[c].lowmem, 0, sizeof(sim.cpus[c].lowmem));
	}
}

const char *sim_mmu_reset(const struct highmem_config *config)
{
	const char *why;

	while (nr_dirty > 0)
		clean_page(dirty[--nr_dirty]);
	why = reset_tables(config);
	reset_cpus();
	sim_tlb_reset();
	return why;
}
