/* SPDX-License-Identifier: MIT */
#include "stress/oracle/test_run.h"

/*
 * A core that is broken on purpose between two operations is seen, in the
 * words of what is broken.
 */

#define EXPECT_SEEN(text, place, break_it, said) \
	do { \
		struct sabotage sabotage_ = { place, break_it }; \
		cr_expect_eq(run(text, &sabotage_), EXEC_BUG); \
		cr_expect_str_eq(result.sentence, said); \
	} while (0)

#define HOLD_P0 "machine\ntask A: kmap p0; check; yield"

/* p0 is page 2 of mem_map. */
#define P0 2

static void spoil_first_word(struct highmem *hm)
{
	machine_poke32(&hm->config.mem_map[P0], 0, 1);
}

static void spoil_last_word(struct highmem *hm)
{
	machine_poke32(&hm->config.mem_map[P0], 4092, 1);
}

static void spoil_written_word(struct highmem *hm)
{
	machine_poke32(&hm->config.mem_map[P0], 64, 9);
}

Test(oracle, another_pages_content)
{
	EXPECT_SEEN(HOLD_P0, 1, spoil_first_word,
		    "A reads 0x1 at 0xff800000, byte 0 of p0, where "
		    "0xa6000258 belongs: it sees another page or a lost write");
	EXPECT_SEEN(HOLD_P0, 1, spoil_last_word,
		    "A reads 0x1 at 0xff800000, byte 4092 of p0, where "
		    "0xa6000258 belongs: it sees another page or a lost write");
}

Test(oracle, a_lost_write)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; write p0; check", 2,
		    spoil_written_word,
		    "A reads 0x9 at 0xff800000, byte 64 of p0, where 0x1 "
		    "belongs: it sees another page or a lost write");
}

static void report_something(struct highmem *hm)
{
	(void)hm;
	port_bug("something is wrong");
}

Test(oracle, a_sentence_that_nobody_expects)
{
	EXPECT_SEEN(HOLD_P0, 1, report_something, "something is wrong");
	EXPECT_SEEN(HOLD_P0, 3, report_something, "something is wrong");
}

static void set_word_of_p0(struct highmem *hm, uint32_t word)
{
	port_atomic_store(&hm->config.mem_map[P0].pkmap, word);
}

static void raise_count(struct highmem *hm)
{
	set_word_of_p0(hm, pkmap_word(0, 3));
}

Test(oracle, a_count_that_is_not_its_users)
{
	EXPECT_SEEN(HOLD_P0, 1, raise_count, "p0 has count 3 and 1 users");
	EXPECT_SEEN("machine\ntask A: kmap p0; kunmap p0; yield", 2,
		    raise_count, "p0 has count 3 and 0 users");
}

static void add_a_user(struct highmem *hm)
{
	set_word_of_p0(hm, pkmap_word(0, 2));
}

Test(oracle, a_misuse_that_is_not_reported)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; kunmap p0; kunmap p0", 2,
		    add_a_user,
		    "misuse not reported: kunmap of a page that nobody maps");
}

static void contradict(struct highmem *hm)
{
	hm->pkmap.free[0] |= 1;
}

Test(oracle, a_contradiction)
{
	EXPECT_SEEN(HOLD_P0, 1, contradict,
		    "highmem_validate: slot 0: not true: !slot_is_free(hm, "
		    "nr)");
}

/* A free slot is mapped and unmapped again behind the TLBs' back. */
static void leave_a_stale_entry(struct highmem *hm)
{
	vaddr_t slot_1 = hm->config.pkmap_base + PAGE_SIZE;

	port_pte_set(slot_1, pte_make(0x38003, PTE_PRESENT));
	machine_load32((void *)slot_1);
	port_pte_clear(slot_1);
}

Test(oracle, a_stale_tlb_entry)
{
	EXPECT_SEEN(HOLD_P0, 1, leave_a_stale_entry,
		    "stale TLB entry: CPU 0 still has pfn 0x38003 at "
		    "0xff801000, the PTE says none 0x0");
}

static void fill_a_window(struct highmem *hm)
{
	(void)hm;
	port_pte_set(fixmap_vaddr(FIX_KMAP_BEGIN + 3),
		     pte_make(0x38003, PTE_PRESENT));
}

static void empty_a_window(struct highmem *hm)
{
	(void)hm;
	port_pte_clear(fixmap_vaddr(FIX_KMAP_BEGIN));
	port_tlb_flush_local_page(fixmap_vaddr(FIX_KMAP_BEGIN));
}

Test(oracle, windows)
{
	EXPECT_SEEN(HOLD_P0, 1, fill_a_window,
		    "window 3 of CPU 0 is not empty above A's depth");
	EXPECT_SEEN("machine\ntask A: local p0; yield", 1, empty_a_window,
		    "window 0 of CPU 0 is not A's map of p0");
}

/* p0 moves to slot 1, and all else agrees. */
static void move_p0(struct highmem *hm)
{
	vaddr_t base = hm->config.pkmap_base;
	pte_t pte = port_pte_clear(base);

	port_tlb_shootdown_all();
	port_pte_set(base + PAGE_SIZE, pte);
	hm->pkmap.slot[1] = hm->pkmap.slot[0];
	port_atomic_store(&hm->pkmap.slot[0].page, 0);
	hm->pkmap.free[0] = 1;
	set_word_of_p0(hm, pkmap_word(1, 2));
}

Test(oracle, a_held_page_that_moves)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1, move_p0,
		    "p0 moved while A had it mapped");
}

#define B_WAITS \
	"machine slots=2\ntask A: kmap p0; kmap p1\n" \
	"task B: kmap p2\nA: yield; yield; kunmap p0\n"

static struct pkmap_waiter forged;

static void queue_for(struct highmem *hm, unsigned int page)
{
	struct pkmap_queue *queue = &hm->pkmap.queue[0];

	forged = (struct pkmap_waiter){
		.page = &hm->config.mem_map[page],
		.task = port_task_current(),
	};
	queue->head = &forged;
	queue->tail = &forged;
	port_atomic_store(&queue->nr, 1);
}

static void queue_for_p1(struct highmem *hm)
{
	queue_for(hm, P0 + 1);
}

static void queue_for_p0(struct highmem *hm)
{
	queue_for(hm, P0);
}

Test(oracle, a_lost_wakeup)
{
	EXPECT_SEEN(HOLD_P0, 1, queue_for_p1,
		    "lost wake-up: task A sleeps on colour 0 while slot 1 is "
		    "to be had");
	EXPECT_SEEN("machine\ntask A: kmap p0; kunmap p0; kmap p1; yield", 3,
		    queue_for_p1,
		    "lost wake-up: task A sleeps on colour 0 while slot 0 is "
		    "to be had");
	EXPECT_SEEN("machine\ntask A: kmap p0; kmap p1; yield", 2, queue_for_p0,
		    "lost wake-up: task A sleeps on colour 0 while its page "
		    "is mapped");
}

/* A core that follows nothing by itself would crash here: the oracle does not. */
static void queue_for_no_page(struct highmem *hm)
{
	queue_for(hm, P0);
	forged.page = (struct page *)16;
}

static void queue_between_pages(struct highmem *hm)
{
	queue_for(hm, P0);
	forged.page = (struct page *)((uintptr_t)forged.page + 1);
}

static void queue_for_the_page_after_the_last(struct highmem *hm)
{
	queue_for(hm, hm->config.nr_pages);
}

static void queue_no_task(struct highmem *hm)
{
	queue_for(hm, P0);
	forged.task = (struct port_task *)16;
}

static void queue_in_a_circle(struct highmem *hm)
{
	queue_for(hm, P0);
	forged.next = &forged;
	port_atomic_store(&hm->pkmap.queue[0].nr, UINT32_MAX);
}

static void queue_something(struct highmem *hm)
{
	queue_for(hm, P0);
	hm->pkmap.queue[0].head = (struct pkmap_waiter *)17;
}

Test(oracle, a_queue_that_leads_nowhere)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1, queue_for_no_page,
		    "the queue of colour 0 has a waiter for what is no page");
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1, queue_between_pages,
		    "the queue of colour 0 has a waiter for what is no page");
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1,
		    queue_for_the_page_after_the_last,
		    "the queue of colour 0 has a waiter for what is no page");
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1, queue_no_task,
		    "the queue of colour 0 has a waiter that is no task");
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1, queue_in_a_circle,
		    "the queue of colour 0 has more waiters than tasks");
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1, queue_something,
		    "the queue of colour 0 has a waiter at an address where "
		    "none can be");
}

static void name_a_slot_that_is_not(struct highmem *hm)
{
	set_word_of_p0(hm, pkmap_word(2, 2));
}

Test(oracle, a_page_in_a_slot_that_is_not)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1,
		    name_a_slot_that_is_not,
		    "highmem_validate: page 2: not true: "
		    "slot < hm->config.nr_slots");
}

static void name_a_page_that_is_not(struct highmem *hm)
{
	port_atomic_store(&hm->pkmap.slot[0].page, 1U << 30);
}

Test(oracle, a_slot_of_a_page_that_is_not)
{
	EXPECT_SEEN("machine\ntask A: kmap p0; yield", 1,
		    name_a_page_that_is_not,
		    "highmem_validate: slot 0: not true: "
		    "cookie <= hm->config.nr_pages");
}

/* Past port_unpark(): the signal is there, and B is not woken. */
static void signal_without_wakeup(struct highmem *hm)
{
	struct pkmap_waiter *w = hm->pkmap.queue[0].head;

	w->killable = true;
	sim.tasks[port_task_id(w->task) - 1].signal.value = 1;
}

Test(oracle, a_signal_that_wakes_nobody)
{
	EXPECT_SEEN(B_WAITS, 3, signal_without_wakeup,
		    "task B sleeps on in kmap_killable, though a signal has "
		    "come");
}

static void forget_the_waiters(struct highmem *hm)
{
	hm->pkmap.queue[0].head = NULL;
	hm->pkmap.queue[0].tail = NULL;
	port_atomic_store(&hm->pkmap.queue[0].nr, 0);
}

Test(oracle, a_waiter_that_is_forgotten)
{
	EXPECT_SEEN(B_WAITS, 3, forget_the_waiters,
		    "task B neither runs nor waits in the queue of a colour");
}

static void forget_a_free_slot(struct highmem *hm)
{
	hm->pkmap.free[0] &= ~2u;
}

static void give_a_free_slot_to_nobody(struct highmem *hm)
{
	forget_a_free_slot(hm);
	hm->pkmap.queue[0].given = 1;
}

Test(oracle, a_slot_that_is_lost)
{
	EXPECT_SEEN(HOLD_P0, 1, forget_a_free_slot,
		    "highmem_validate: slot 1: not true: slot_is_free(hm, s) "
		    "|| slot_is_mapped(hm, s) || given-- > 0");
	EXPECT_SEEN(HOLD_P0, 1, give_a_free_slot_to_nobody,
		    "slot 1 is lost: neither free, nor idle, nor in use, "
		    "nor on its way to a task");
}

Test(oracle, nothing_runs_after_a_failure)
{
	struct sabotage sabotage = { 1, spoil_first_word };

	run("machine cpus=2\ntask A: kmap p0; check; write p0; kunmap p0\n"
	    "task B cpu=1: kmap p1",
	    &sabotage);
	cr_expect_str_eq(story, "A: kmap p0 -> ok\nA: check -> FAILED\n");
}

/* Of a CPU where no task ever was. */
static void fill_another_cpus_window(struct highmem *hm)
{
	(void)hm;
	port_pte_set(fixmap_vaddr(FIX_KMAP_BEGIN + KM_MAX_IDX),
		     pte_make(0x38003, PTE_PRESENT));
}

Test(oracle, a_window_at_the_end)
{
	EXPECT_SEEN("machine cpus=2\ntask A: kmap p0", 1,
		    fill_another_cpus_window,
		    "CPU 1 has a local map after all tasks have ended");
}

static void leave_a_map(struct highmem *hm)
{
	kmap_local_page(hm, &hm->config.mem_map[P0]);
}

Test(oracle, a_handlers_window)
{
	EXPECT_SEEN("machine\ntask A:\nirq I: check\nA: raise I", 1,
		    leave_a_map,
		    "I's interrupt leaves a local map behind: the depth is 1, "
		    "and was 0");
}

/* CPU 1 alone forgets the flush. */
static void remember_on_cpu_1(struct highmem *hm)
{
	vaddr_t slot_1 = hm->config.pkmap_base + PAGE_SIZE;

	port_pte_set(slot_1, pte_make(0x38003, PTE_PRESENT));
	sim_tlb_load_changed();
	port_pte_clear(slot_1);
	port_tlb_flush_local_page(slot_1);
}

Test(oracle, a_free_slot_in_the_tlb_of_another_cpu)
{
	EXPECT_SEEN("machine cpus=2\ntask A: kmap p0; yield", 1,
		    remember_on_cpu_1,
		    "stale TLB entry: CPU 1 still has pfn 0x38003 at "
		    "0xff801000, the PTE says none 0x0");
}
