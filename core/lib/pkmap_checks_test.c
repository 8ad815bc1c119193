/* SPDX-License-Identifier: MIT */
#include "core/lib/test_machine.h"

/* Broken state, told rather than followed: the machine stops there. */

Test(pkmap_checks, a_free_slot_with_a_pte)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	port_pte_set(PKMAP_BASE_NONPAE, pte_make(0x38005, PTE_PRESENT));
	EXPECT_PANIC(kmap(hm, high(hm, 0)), "core/lib/pkmap.c",
		     "pte_none(port_pte_read(pkmap_vaddr(hm, slot)))");
}

Test(pkmap_checks, an_idle_slot_with_another_pages_pte)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	port_pte_clear(PKMAP_BASE_NONPAE);
	port_pte_set(PKMAP_BASE_NONPAE, pte_make(0x38005, PTE_PRESENT));
	EXPECT_PANIC(kmap_flush_unused(hm), "core/lib/pkmap.c",
		     "pte_pfn(old) == page_to_pfn(hm, page)");
}

Test(pkmap_checks, an_idle_slot_in_the_free_map)
{
	struct highmem *hm = boot((struct machine_config){ 0 });

	touch(hm, high(hm, 0));
	hm->pkmap.free[0] |= 1;
	EXPECT_PANIC(kmap_flush_unused(hm), "core/lib/pkmap.c",
		     "!slot_is_free(hm, slot)");
}

Test(pkmap_checks, a_free_map_with_a_slot_beyond_the_last)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 3 });

	for (unsigned int i = 0; i < 3; i++)
		kmap(hm, high(hm, i));
	hm->pkmap.free[0] |= 1 << 3;
	EXPECT_PANIC(kmap(hm, high(hm, 3)), "core/lib/pkmap.c",
		     "slot < hm->config.nr_slots");
}

Test(pkmap_checks, a_page_with_an_impossible_slot)
{
	struct highmem *hm = boot((struct machine_config){ .nr_slots = 4 });

	port_atomic_store(&high(hm, 0)->pkmap, pkmap_word(4, 1));
	EXPECT_PANIC(kmap_high_get(hm, high(hm, 0)), "core/lib/pkmap.c",
		     "slot < hm->config.nr_slots");
}

Test(pkmap_checks, a_slot_with_an_impossible_page)
{
	struct highmem *hm = boot((struct machine_config){ .nr_pages = 4 });

	port_atomic_store(&hm->pkmap.slot[0].page, 7);
	EXPECT_PANIC(kmap_flush_unused(hm), "core/lib/pkmap.c",
		     "cookie <= hm->config.nr_pages");
}
