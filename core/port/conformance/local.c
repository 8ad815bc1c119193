/* SPDX-License-Identifier: MIT */
#include "core/port/conformance/state.h"

/* The cases of kmap_local.h. What each proves is its name. */

static void local_shows(void *arg)
{
	void *vaddr = kmap_local_page(ct_hm, ct_page(0));

	(void)arg;
	CT_EXPECT(ct_shows(vaddr, ct_page(0)));
	machine_store32((char *)vaddr + 12, 7);
	CT_EXPECT(machine_peek32(ct_page(0), 12) == 7);
	kunmap_local(ct_hm, vaddr);
	CT_EXPECT(highmem_stat(ct_hm, HM_STAT_LOCAL) == 1);
}

const char *ct_local_map_shows_the_page(void)
{
	return ct_run_small(local_shows);
}

static void nest(void *arg)
{
	void *vaddr[4];

	(void)arg;
	for (unsigned int i = 0; i < 4; i++)
		vaddr[i] = kmap_local_page(ct_hm, ct_page(i));
	for (unsigned int i = 0; i < 4; i++)
		CT_EXPECT(ct_shows(vaddr[i], ct_page(i)));
	for (unsigned int i = 4; i-- > 0;) {
		CT_EXPECT(ct_shows(vaddr[i], ct_page(i)));
		kunmap_local(ct_hm, vaddr[i]);
	}
}

const char *ct_local_maps_nest(void)
{
	return ct_run_small(nest);
}

static void local_lowmem(void *arg)
{
	struct page *page = ct_lowmem_page(1);
	void *vaddr = kmap_local_page(ct_hm, page);

	(void)arg;
	CT_EXPECT(ct_shows(vaddr, page));
	CT_EXPECT((vaddr == page_address(ct_hm, page)) !=
		  ct_hm->config.force_map);
	CT_EXPECT((virt_to_fix((vaddr_t)vaddr) == __end_of_fixed_addresses) !=
		  ct_hm->config.force_map);
	kunmap_local(ct_hm, vaddr);
}

const char *ct_local_map_of_lowmem_is_the_direct_map(void)
{
	return ct_run_small(local_lowmem);
}

const char *ct_force_map_gives_lowmem_a_window(void)
{
	struct machine_config config = CT_SMALL;

	config.force_map = true;
	return ct_run_one(&config, local_lowmem);
}

static void window_empties(void *arg)
{
	void *vaddr = kmap_local_page(ct_hm, ct_page(0));

	(void)arg;
	CT_EXPECT(pte_present(port_pte_read((vaddr_t)vaddr)));
	CT_EXPECT(ct_shows(vaddr, ct_page(0)));
	kunmap_local(ct_hm, vaddr);
	CT_EXPECT(pte_none(port_pte_read((vaddr_t)vaddr)));
	CT_EXPECT(machine_load32(vaddr) == 0);
	ct_expect_bug("page fault at ");
}

const char *ct_window_is_empty_after_unmap(void)
{
	return ct_run_small(window_empties);
}

static void reuse_window(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 64; i++) {
		void *vaddr = kmap_local_page(ct_hm, ct_page(i % 4));

		CT_EXPECT(ct_shows(vaddr, ct_page(i % 4)));
		kunmap_local(ct_hm, vaddr);
	}
	CT_EXPECT(machine_tlb_stats().shootdowns == 0);
}

const char *ct_window_reuse_shows_the_new_page(void)
{
	return ct_run_small(reuse_window);
}

static void overflow(void *arg)
{
	unsigned int depth = ct_hm->config.local_depth;
	void *vaddr[KM_MAX_IDX];

	(void)arg;
	for (unsigned int i = 0; i < depth; i++)
		vaddr[i] = kmap_local_page(ct_hm, ct_page(i % 4));
	CT_EXPECT(kmap_local_page(ct_hm, ct_page(0)) == NULL);
	ct_expect_bug("highmem: BUG: local map of pfn ");
	CT_EXPECT(kmap_atomic(ct_hm, ct_page(0)) == NULL);
	ct_expect_bug("highmem: BUG: local map of pfn ");
	CT_EXPECT(port_may_sleep());
	for (unsigned int i = depth; i-- > 0;) {
		CT_EXPECT(ct_shows(vaddr[i], ct_page(i % 4)));
		kunmap_local(ct_hm, vaddr[i]);
	}
}

const char *ct_one_map_too_many_is_reported(void)
{
	struct machine_config config = CT_SMALL;

	config.local_depth = KM_MAX_IDX;
	return ct_run_one(&config, overflow);
}

static void out_of_order(void *arg)
{
	void *first = kmap_local_page(ct_hm, ct_page(0));
	void *second = kmap_local_page(ct_hm, ct_page(1));

	(void)arg;
	kunmap_local(ct_hm, first);
	ct_expect_bug("highmem: BUG: kunmap_local of ");
	CT_EXPECT(ct_shows(first, ct_page(0)));
	CT_EXPECT(ct_shows(second, ct_page(1)));
	kunmap_local(ct_hm, second);
	kunmap_local(ct_hm, first);
}

const char *ct_unmap_out_of_order_is_reported(void)
{
	return ct_run_small(out_of_order);
}

static void foreign(void *arg)
{
	void *persistent = kmap(ct_hm, ct_page(0));
	void *window = kmap_local_page(ct_hm, ct_page(1));

	(void)arg;
	kunmap_local(ct_hm, persistent);
	ct_expect_bug("highmem: BUG: kunmap_local of ");
	kunmap_local(ct_hm, window);
	kunmap_local(ct_hm, window);
	ct_expect_bug("highmem: BUG: kunmap_local of ");
	CT_EXPECT(ct_shows(persistent, ct_page(0)));
	kunmap(ct_hm, ct_page(0));
}

const char *ct_unmap_of_a_foreign_address_is_reported(void)
{
	return ct_run_small(foreign);
}

/* Of a page that is mapped as all lowmem is, and by no call of this task. */
static void unmap_lowmem(void *arg)
{
	void *low = page_address(ct_hm, ct_lowmem_page(0));
	void *high = kmap_atomic(ct_hm, ct_page(0));

	(void)arg;
	kunmap_atomic(ct_hm, low);
	ct_expect_bug("highmem: BUG: kunmap_atomic of ");
	kunmap_local(ct_hm, low);
	ct_expect_bug("highmem: BUG: kunmap_local of ");
	CT_EXPECT(!port_may_sleep());
	CT_EXPECT(ct_shows(high, ct_page(0)));
	kunmap_atomic(ct_hm, high);
	CT_EXPECT(port_may_sleep());
	CT_EXPECT(kmap_local_page(ct_hm, ct_lowmem_page(0)) == low);
	kunmap_local(ct_hm, low);
	kunmap_local(ct_hm, low);
	ct_expect_bug("highmem: BUG: kunmap_local of ");
}

const char *ct_unmap_of_lowmem_that_was_not_mapped_is_reported(void)
{
	return ct_run_small(unmap_lowmem);
}

static void unmap_by_the_other(struct page *page)
{
	void *vaddr = kmap_local_page(ct_hm, page);

	kunmap_atomic(ct_hm, vaddr);
	ct_expect_bug("highmem: BUG: kunmap_atomic of ");
	CT_EXPECT(port_may_sleep());
	CT_EXPECT(ct_shows(vaddr, page));
	kunmap_local(ct_hm, vaddr);
	vaddr = kmap_atomic(ct_hm, page);
	kunmap_local(ct_hm, vaddr);
	ct_expect_bug("highmem: BUG: kunmap_local of ");
	CT_EXPECT(!port_may_sleep());
	CT_EXPECT(ct_shows(vaddr, page));
	kunmap_atomic(ct_hm, vaddr);
	CT_EXPECT(port_may_sleep());
}

static void unmap_both_by_the_other(void *arg)
{
	(void)arg;
	unmap_by_the_other(ct_page(0));
	unmap_by_the_other(ct_lowmem_page(0));
}

const char *ct_unmap_by_the_other_call_is_reported(void)
{
	return ct_run_small(unmap_both_by_the_other);
}

/* The port itself says so, and its counts stay as they were. */
static void enable_too_often(void *arg)
{
	(void)arg;
	port_preempt_enable();
	ct_expect_bug("");
	CT_EXPECT(port_may_sleep());
	port_preempt_disable();
	CT_EXPECT(!port_may_sleep());
	port_preempt_enable();
	CT_EXPECT(port_may_sleep());
	port_migrate_enable();
	ct_expect_bug("");
	port_migrate_disable();
	port_migrate_enable();
}

const char *ct_enabling_too_often_is_reported(void)
{
	return ct_run_small(enable_too_often);
}

static void borrowing_handler(void *arg)
{
	void *vaddr = kmap_local_page(ct_hm, ct_page(3));

	CT_EXPECT(vaddr != arg);
	CT_EXPECT(ct_shows(vaddr, ct_page(3)));
	CT_EXPECT(ct_shows(arg, ct_page(0)));
	kunmap_local(ct_hm, vaddr);
}

static void interrupted(void *arg)
{
	void *vaddr = kmap_local_page(ct_hm, ct_page(0));

	(void)arg;
	CT_EXPECT(machine_interrupt(borrowing_handler, vaddr));
	CT_EXPECT(ct_shows(vaddr, ct_page(0)));
	kunmap_local(ct_hm, vaddr);
}

const char *ct_interrupt_borrows_the_next_window(void)
{
	return ct_run_small(interrupted);
}

static void atomic(void *arg)
{
	void *vaddr;

	(void)arg;
	CT_EXPECT(port_may_sleep());
	vaddr = kmap_atomic(ct_hm, ct_page(0));
	CT_EXPECT(!port_may_sleep());
	CT_EXPECT(ct_shows(vaddr, ct_page(0)));
	kunmap_atomic(ct_hm, vaddr);
	CT_EXPECT(port_may_sleep());
	vaddr = kmap_atomic(ct_hm, ct_lowmem_page(0));
	CT_EXPECT(!port_may_sleep());
	kunmap_atomic(ct_hm, vaddr);
	CT_EXPECT(port_may_sleep());
}

const char *ct_atomic_map_forbids_sleep(void)
{
	return ct_run_small(atomic);
}

/* ---- Tasks that share a CPU ------------------------------------------------------ */

/* Each maps two pages, lets the other run, and finds its own again. */
static void switching_task(void *arg)
{
	unsigned int first = *(const unsigned int *)arg;

	for (unsigned int round = 1; round <= 8; round++) {
		void *a = kmap_local_page(ct_hm, ct_page(first));
		void *b;

		machine_yield(3 * round);
		b = kmap_local_page(ct_hm, ct_page(first + 1));
		machine_yield(3 * round + 1);
		CT_EXPECT(ct_shows(a, ct_page(first)));
		CT_EXPECT(ct_shows(b, ct_page(first + 1)));
		kunmap_local(ct_hm, b);
		machine_yield(3 * round + 2);
		CT_EXPECT(ct_shows(a, ct_page(first)));
		kunmap_local(ct_hm, a);
	}
}

const char *ct_windows_survive_a_context_switch(void)
{
	const struct machine_config config = CT_SMALL;
	static unsigned int first[2] = { 0, 2 };

	if (!ct_boot(&config))
		return ct_finish();
	machine_spawn(0, switching_task, &first[0]);
	machine_spawn(0, switching_task, &first[1]);
	return ct_finish();
}

static void full_task(void *arg)
{
	unsigned int first = *(const unsigned int *)arg;
	void *vaddr[4];

	for (unsigned int i = 0; i < 4; i++) {
		vaddr[i] = kmap_local_page(ct_hm, ct_page((first + i) % 4));
		machine_yield(i + 1);
	}
	for (unsigned int i = 4; i-- > 0;) {
		CT_EXPECT(ct_shows(vaddr[i], ct_page((first + i) % 4)));
		kunmap_local(ct_hm, vaddr[i]);
		machine_yield(8 - i);
	}
}

const char *ct_each_task_has_all_windows(void)
{
	const struct machine_config config = CT_SMALL;
	static unsigned int first[3] = { 0, 1, 2 };

	if (!ct_boot(&config))
		return ct_finish();
	for (unsigned int i = 0; i < 3; i++)
		machine_spawn(0, full_task, &first[i]);
	return ct_finish();
}

static port_atomic_t holding;

static void holder(void *arg)
{
	(void)arg;
	kmap(ct_hm, ct_page(0));
	kmap(ct_hm, ct_page(1));
	port_atomic_store(&holding, 1);
	while (port_atomic_load(&ct_hm->pkmap.queue[0].nr) == 0)
		machine_yield(port_atomic_fetch_add(&holding, 1));
	kunmap(ct_hm, ct_page(0));
	kunmap(ct_hm, ct_page(1));
}

static void sleeper(void *arg)
{
	void *local;
	void *persistent;

	(void)arg;
	while (port_atomic_load(&holding) == 0)
		machine_yield(1);
	local = kmap_local_page(ct_hm, ct_page(3));
	persistent = kmap(ct_hm, ct_page(2));
	CT_EXPECT(ct_shows(local, ct_page(3)));
	CT_EXPECT(ct_shows(persistent, ct_page(2)));
	kunmap_local(ct_hm, local);
	kunmap(ct_hm, ct_page(2));
}

const char *ct_sleeping_with_a_local_map(void)
{
	const struct machine_config config = CT_SMALL;

	port_atomic_store(&holding, 0);
	if (!ct_boot(&config))
		return ct_finish();
	machine_spawn(0, holder, NULL);
	machine_spawn(0, sleeper, NULL);
	return ct_finish();
}

/* ---- Every CPU --------------------------------------------------------------------- */

static void use_all_windows(void *arg)
{
	unsigned int cpu = *(const unsigned int *)arg;
	void *vaddr[KM_MAX_IDX];

	for (unsigned int i = 0; i < KM_MAX_IDX; i++) {
		unsigned int fix = FIX_KMAP_BEGIN + cpu * KM_MAX_IDX + i;

		vaddr[i] = kmap_local_page(ct_hm, ct_page(i));
		CT_EXPECT((vaddr_t)vaddr[i] == fixmap_vaddr(fix));
		CT_EXPECT(kmap_to_page(ct_hm, vaddr[i]) == ct_page(i));
	}
	for (unsigned int i = KM_MAX_IDX; i-- > 0;) {
		CT_EXPECT(ct_shows(vaddr[i], ct_page(i)));
		kunmap_local(ct_hm, vaddr[i]);
	}
}

static const char *windows_of_each_cpu(struct machine_config config)
{
	static unsigned int cpus[HIGHMEM_MAX_CPUS];

	config.nr_pages = KM_MAX_IDX;
	config.local_depth = KM_MAX_IDX;
	while (config.nr_cpus > 1 && machine_can(&config))
		config.nr_cpus--;
	if (!ct_boot(&config))
		return ct_finish();
	for (unsigned int c = 0; c < config.nr_cpus; c++) {
		cpus[c] = machine_cpu_id(c);
		machine_spawn(c, use_all_windows, &cpus[c]);
	}
	return ct_finish();
}

const char *ct_first_and_last_window_of_each_cpu(void)
{
	struct machine_config config = CT_SMALL;

	config.nr_cpus = HIGHMEM_MAX_CPUS;
	return windows_of_each_cpu(config);
}

/* Windows, statistics and shootdowns go by ids, and nobody may count to n. */
const char *ct_cpu_ids_with_holes(void)
{
	struct machine_config config = CT_SMALL;
	const char *why;

	config.nr_cpus = 3;
	config.sparse_cpus = true;
	why = windows_of_each_cpu(config);
	if (!why && highmem_stat(ct_hm, HM_STAT_LOCAL) != 3 * KM_MAX_IDX)
		why = "the statistics of some CPUs are not counted";
	return why;
}
