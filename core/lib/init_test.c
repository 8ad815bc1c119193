/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

#include "core/ports/sim/sim.h"

/*
 * highmem_init() itself: each test changes one thing in a configuration that
 * works and expects the sentence about it. The machine is booted only for
 * the facts of the port and its page tables.
 */
static struct highmem scratch;
static struct page pages[8];

static struct highmem_config good(bool pae)
{
	boot((struct machine_config){ .pae = pae });
	return (struct highmem_config){
		.mem_map = pages,
		.first_pfn = 0x38000 - 2,
		.nr_pages = 8,
		.highmem_start_pfn = 0x38000,
		.page_offset = 0xc0000000,
		.prot = PTE_PRESENT | PTE_WRITE,
		.pkmap_base = pae ? PKMAP_BASE_PAE : PKMAP_BASE_NONPAE,
		.nr_slots = 8,
		.nr_colours = 2,
		.local_depth = 4,
	};
}

#define EXPECT_REFUSED(config, sentence) \
	do { \
		const char *why_ = highmem_init(&scratch, &(config)); \
		cr_assert_not_null(why_); \
		cr_expect_str_eq(why_, sentence); \
	} while (0)

#define EXPECT_ACCEPTED(config) \
	do { \
		const char *why_ = highmem_init(&scratch, &(config)); \
		cr_expect_null(why_, "%s", why_); \
	} while (0)

Test(init, a_good_configuration_is_accepted_and_kept)
{
	for (unsigned int pae = 0; pae < 2; pae++) {
		struct highmem_config config = good(pae);

		EXPECT_ACCEPTED(config);
		cr_expect_eq(scratch.config.nr_slots, 8);
		cr_expect_eq(scratch.config.mem_map, pages);
		cr_expect_null(highmem_validate(&scratch));
	}
	EXPECT_BUG("");
}

Test(init, a_refused_one_changes_nothing)
{
	struct highmem_config config = good(false);

	memset(&scratch, 0x5a, sizeof(scratch));
	config.local_depth = 0;
	cr_expect_not_null(highmem_init(&scratch, &config));
	for (size_t i = 0; i < sizeof(scratch); i++)
		cr_assert_eq(((unsigned char *)&scratch)[i], 0x5a);
}

Test(init, number_of_slots)
{
	static const char sentence[] =
		"nr_slots must be 2 to 1024, with PAE 2 to 512";
	struct highmem_config config = good(false);

	config.nr_colours = 1;
	config.nr_slots = 0;
	EXPECT_REFUSED(config, sentence);
	config.nr_slots = 1;
	EXPECT_REFUSED(config, sentence);
	config.nr_slots = 1025;
	EXPECT_REFUSED(config, sentence);
	config.nr_slots = 2;
	EXPECT_ACCEPTED(config);
	config.nr_slots = 1024;
	EXPECT_ACCEPTED(config);
	config = good(true);
	config.nr_slots = 514;
	EXPECT_REFUSED(config, sentence);
	config.nr_slots = 512;
	EXPECT_ACCEPTED(config);
}

Test(init, number_of_colours)
{
	static const unsigned int bad[] = { 0, 3, 5, 6, 7, 9, 16 };
	struct highmem_config config = good(false);

	config.nr_slots = 240; /* a multiple of all of them */
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config.nr_colours = bad[i];
		EXPECT_REFUSED(config, "nr_colours must be 1, 2, 4 or 8");
	}
	for (config.nr_colours = 1; config.nr_colours <= 8;
	     config.nr_colours *= 2)
		EXPECT_ACCEPTED(config);
}

Test(init, colours_divide_the_slots)
{
	struct highmem_config config = good(false);

	config.nr_colours = 4;
	config.nr_slots = 6;
	EXPECT_REFUSED(config, "nr_slots must be a multiple of nr_colours");
}

Test(init, pkmap_base_is_page_aligned)
{
	struct highmem_config config = good(false);

	config.pkmap_base += 1;
	EXPECT_REFUSED(config, "pkmap_base must be page aligned");
	config.pkmap_base += 2047;
	EXPECT_REFUSED(config, "pkmap_base must be page aligned");
}

/* Each of the last two ends beyond the largest address and wraps to a low one. */
Test(init, pkmap_area_ends_below_the_fixmap)
{
	static const char sentence[] =
		"the pkmap area must end a page below the fixmap";
	struct highmem_config config = good(false);

	config.pkmap_base = FIXADDR_START - 9 * PAGE_SIZE;
	EXPECT_ACCEPTED(config);
	config.pkmap_base += PAGE_SIZE;
	EXPECT_REFUSED(config, sentence);
	config.pkmap_base = FIXADDR_TOP;
	EXPECT_REFUSED(config, sentence);
	config.pkmap_base = (vaddr_t)0 - 8 * PAGE_SIZE;
	EXPECT_REFUSED(config, sentence);
	config.pkmap_base = (vaddr_t)0 - PAGE_SIZE;
	EXPECT_REFUSED(config, sentence);
}

Test(init, mem_map_has_pages)
{
	static const char sentence[] = "mem_map must describe at least one page";
	struct highmem_config config = good(false);

	config.nr_pages = 0;
	EXPECT_REFUSED(config, sentence);
	config = good(false);
	config.mem_map = NULL;
	EXPECT_REFUSED(config, sentence);
}

Test(init, frame_numbers_fit_a_pte)
{
	static const char sentence[] =
		"a page frame number does not fit a page table entry";
	struct highmem_config config = good(false);

	config.first_pfn = 0xffff8;
	EXPECT_ACCEPTED(config);
	config.first_pfn++;
	EXPECT_REFUSED(config, sentence);
	config.first_pfn = UINT32_MAX; /* the end does not wrap to a small one */
	EXPECT_REFUSED(config, sentence);
	config = good(true);
	config.first_pfn = 0xfffff8;
	EXPECT_ACCEPTED(config);
	config.first_pfn++;
	EXPECT_REFUSED(config, sentence);
}

/* Three pieces, and eight pages in them. */
static struct highmem_config in_pieces(bool pae, struct page_range pieces[3])
{
	struct highmem_config config = good(pae);

	pieces[0] = (struct page_range){ 0x37ffe, 2 };
	pieces[1] = (struct page_range){ 0x38000, 1 };
	pieces[2] = (struct page_range){ 0x80000, 5 };
	config.first_pfn = UINT32_MAX; /* means nothing */
	config.ranges = pieces;
	config.nr_ranges = 3;
	return config;
}

Test(init, ranges_ascend_and_have_pages)
{
	static const char sentence[] = "the ranges of mem_map must ascend, "
				       "and none may be empty";
	struct page_range pieces[3];
	struct highmem_config config = in_pieces(false, pieces);

	EXPECT_ACCEPTED(config); /* neighbours need not be one piece */
	pieces[1].first_pfn--;
	EXPECT_REFUSED(config, sentence);
	in_pieces(false, pieces);
	pieces[2].first_pfn = 0;
	EXPECT_REFUSED(config, sentence);
	in_pieces(false, pieces);
	pieces[1].nr_pages = 0;
	pieces[2].nr_pages = 6;
	EXPECT_REFUSED(config, sentence);
	in_pieces(false, pieces);
	pieces[1].nr_pages = UINT32_MAX; /* its end does not wrap */
	EXPECT_REFUSED(config, sentence);
	in_pieces(false, pieces);
	pieces[0].first_pfn = 0; /* the first frame there is */
	EXPECT_ACCEPTED(config);
}

Test(init, ranges_have_the_pages_of_mem_map)
{
	static const char sentence[] =
		"the ranges of mem_map must have nr_pages together";
	struct page_range pieces[3];
	struct highmem_config config = in_pieces(false, pieces);

	config.nr_pages++;
	EXPECT_REFUSED(config, sentence);
	config.nr_pages -= 2;
	EXPECT_REFUSED(config, sentence);
}

Test(init, frame_numbers_of_ranges_fit_a_pte)
{
	static const char sentence[] =
		"a page frame number does not fit a page table entry";
	struct page_range pieces[3];
	struct highmem_config config = in_pieces(false, pieces);

	pieces[2].first_pfn = 0xffffb;
	EXPECT_ACCEPTED(config);
	pieces[2].first_pfn++;
	EXPECT_REFUSED(config, sentence);
	config = in_pieces(true, pieces);
	pieces[2].first_pfn = 0xfffffb;
	EXPECT_ACCEPTED(config);
	pieces[2].first_pfn++;
	EXPECT_REFUSED(config, sentence);
}

Test(init, page_offset_is_page_aligned)
{
	struct highmem_config config = good(false);

	config.page_offset++;
	EXPECT_REFUSED(config, "page_offset must be page aligned");
}

Test(init, direct_map_ends_below_pkmap)
{
	struct highmem_config config = good(false);

	config.highmem_start_pfn = 0x3f800; /* ends exactly there */
	EXPECT_ACCEPTED(config);
	config.highmem_start_pfn++;
	EXPECT_REFUSED(config, "the direct map must end below the pkmap area");
	/* Ends that are small numbers in 32 bits, and in 64. */
	config.highmem_start_pfn = 0x40000;
	EXPECT_REFUSED(config, "the direct map must end below the pkmap area");
	config.highmem_start_pfn = 0x101000;
	EXPECT_REFUSED(config, "the direct map must end below the pkmap area");
	config.page_offset = (vaddr_t)0 - PAGE_SIZE;
	EXPECT_REFUSED(config, "the direct map must end below the pkmap area");
}

Test(init, depth_of_local_maps)
{
	struct highmem_config config = good(false);

	config.local_depth = 0;
	EXPECT_REFUSED(config, "local_depth must be 1 to KM_MAX_IDX");
	config.local_depth = KM_MAX_IDX + 1;
	EXPECT_REFUSED(config, "local_depth must be 1 to KM_MAX_IDX");
	config.local_depth = 1;
	EXPECT_ACCEPTED(config);
	config.local_depth = KM_MAX_IDX;
	EXPECT_ACCEPTED(config);
}

Test(init, protection_bits)
{
	struct highmem_config config = good(false);

	config.prot = PTE_WRITE;
	EXPECT_REFUSED(config, "the protection lacks the present bit");
	config.prot = PTE_PRESENT | pte_make(1, 0);
	EXPECT_REFUSED(config, "invalid protection bits");
	config.prot = PTE_PRESENT | (pte_t)1 << 9;
	EXPECT_REFUSED(config, "invalid protection bits");
	config.prot = PTE_PRESENT | PTE_USER;
	EXPECT_REFUSED(config, "the protection lets user mode in");
	config.prot = PTE_PRESENT | PTE_NX;
	EXPECT_REFUSED(config, "no-execute needs PAE");
	config.prot = PTE_PRESENT | PTE_WRITE | PTE_PWT | PTE_PCD |
		      PTE_ACCESSED | PTE_DIRTY | PTE_PAT | PTE_GLOBAL;
	EXPECT_ACCEPTED(config);
}

Test(init, protection_bits_with_pae)
{
	struct highmem_config config = good(true);

	config.prot = PTE_PRESENT | PTE_NX;
	EXPECT_ACCEPTED(config);
	config.prot |= (pte_t)1 << 52;
	EXPECT_REFUSED(config, "invalid protection bits");
	config.prot = PTE_PRESENT | PTE_USER;
	EXPECT_REFUSED(config, "the protection lets user mode in");
}

/* Else a page of colour 0 would get an address of colour 1. */
Test(init, slot_0_has_colour_0)
{
	struct highmem_config config = good(false);

	for (config.nr_colours = 1; config.nr_colours <= 8;
	     config.nr_colours *= 2) {
		config.pkmap_base = PKMAP_BASE_NONPAE +
				    config.nr_colours * PAGE_SIZE;
		EXPECT_ACCEPTED(config);
		config.pkmap_base -= PAGE_SIZE;
		if (config.nr_colours > 1)
			EXPECT_REFUSED(config, "pkmap_base must have colour 0, "
					       "that of slot 0");
	}
}

Test(init, cpu_ids_fit)
{
	struct highmem_config config = good(false);

	sim.facts.cpu_mask = 0x80; /* sparse, but the last id there is */
	EXPECT_ACCEPTED(config);
	sim.facts.cpu_mask = 0x100;
	EXPECT_REFUSED(config,
		       "the machine has more CPUs than HIGHMEM_MAX_CPUS");
}

Test(init, a_second_init_forgets_the_first)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });
	struct highmem_config config = hm->config;

	for (unsigned int i = 0; i < 3; i++)
		kmap(hm, high(hm, i));
	machine_shutdown();
	hm = boot((struct machine_config){ .nr_slots = 2 });
	config = hm->config;
	cr_assert_null(highmem_init(hm, &config));
	cr_expect_eq(hm->pkmap.free[0], 3);
	cr_expect_eq(hm->pkmap.hand[0], 0);
	EXPECT_SOUND(hm);
}

Test(init, memory_may_hold_anything_before)
{
	struct highmem_config config = good(false);

	memset(&scratch, 0xff, sizeof(scratch));
	EXPECT_ACCEPTED(config);
	for (unsigned int w = 0; w < HIGHMEM_MAX_SLOTS / 32; w++)
		cr_expect_eq(scratch.pkmap.free[w], w == 0 ? 0xff : 0);
	for (unsigned int c = 0; c < HIGHMEM_MAX_COLOURS; c++) {
		cr_expect_eq(scratch.pkmap.hand[c], 0);
		cr_expect_null(scratch.pkmap.queue[c].head);
		cr_expect_null(scratch.pkmap.queue[c].tail);
		cr_expect_null(highmem_validate_queue(&scratch, c));
	}
	/* What lies behind the queues and the counters is not theirs. */
	cr_expect_eq(scratch.pkmap.batch[0], (vaddr_t)-1);
	cr_expect_eq((unsigned char)scratch.why[0], 0xff);
}
