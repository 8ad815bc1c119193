/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "stress/explore/explain/explain.h"
#include "stress/explore/trace/machine.h"

/*
 * Records as broken cores leave them behind, made by hand: what is said of
 * each. Steps count from 1.
 */

enum {
	A,
	B,
	C,
	D,
	I
};

/* As cells name pages. */
#define P0 (1 + MACHINE_LOWMEM_PAGES)
#define P1 (2 + MACHINE_LOWMEM_PAGES)

static struct record *rec;

static void story(const char *sentence)
{
	static const char text[] = "machine cpus=2 slots=2 pages=4 depth=2\n"
				   "task A cpu=0\n"
				   "task B cpu=1\n"
				   "irq I cpu=0\n";
	struct program_error error;

	rec = trace_room(1, sizeof(*rec));
	cr_assert(program_parse(&rec->program, text, strlen(text), &error));
	cells_make(rec);
	rec->entries = trace_room(100, sizeof(rec->entries[0]));
	rec->changes = trace_room(100, sizeof(rec->changes[0]));
	for (unsigned int slot = 0; slot < 2; slot++)
		rec->values[cell_find(rec, CELL_FREE, slot, 0)] = 0;
	rec->result.exec.verdict = EXEC_BUG;
	snprintf(rec->result.exec.sentence, sizeof(rec->result.exec.sentence),
		 "%s", sentence);
}

/* A handler runs over task A. */
static struct entry *add(enum entry_kind kind, unsigned int actor,
			 const char *text)
{
	struct entry *entry = &rec->entries[rec->nr_entries++];

	*entry = (struct entry){
		.kind = (uint8_t)kind,
		.actor = (uint8_t)actor,
		.task = (uint8_t)(actor == I ? A : actor),
		.cpu = actor == B,
		.cell = -1,
		.step = rec->nr_entries,
		.first_change = rec->nr_changes,
		.outcome = "",
	};
	snprintf(entry->text, sizeof(entry->text), "%s", text);
	return entry;
}

static void begin(unsigned int actor, const char *op)
{
	add(ENTRY_BEGIN, actor, op);
}

static void end(unsigned int actor, const char *op, const char *outcome)
{
	add(ENTRY_END, actor, op)->outcome = outcome;
}

/* The newest entry changes a cell. */
static void sets(enum cell_kind kind, unsigned int a, unsigned int b,
		 uint32_t value)
{
	int cell = cell_find(rec, kind, a, b);

	cr_assert_geq(cell, 0);
	rec->changes[rec->nr_changes++] = (struct change){ (unsigned int)cell,
							   rec->values[cell],
							   value };
	rec->entries[rec->nr_entries - 1].nr_changes++;
	rec->values[cell] = value;
}

static struct entry *does(unsigned int actor, enum sim_access access,
			  enum cell_kind kind, unsigned int a, uint32_t value)
{
	struct entry *entry = add(ENTRY_ACCESS, actor, "");

	entry->access = (uint8_t)access;
	entry->cell = cell_find(rec, kind, a, 0);
	entry->before = rec->values[entry->cell];
	entry->after = value;
	if (value != rec->values[entry->cell])
		sets(kind, a, 0, value);
	return entry;
}

/* @actor's store puts page @index, 1 + the page's, into @slot, with a user. */
static void maps(unsigned int actor, unsigned int slot, unsigned int index)
{
	does(actor, SIM_STORE, CELL_COUNT, index - 1, 2);
	sets(CELL_SLOT, index - 1, 0, slot + 1);
	sets(CELL_OWNER, slot, 0, index);
}

static struct entry *acts(unsigned int actor, enum sim_access access,
			  const char *text)
{
	struct entry *entry = add(ENTRY_ACCESS, actor, text);

	entry->access = (uint8_t)access;
	return entry;
}

static void says(const char *want)
{
	const char *got = explain_record(rec);

	cr_assert_str_eq(got, want, "%s", got);
	record_free(rec);
}

/* ---- The boot ---------------------------------------------------------------------- */

static void allocation_fails(enum choice_kind kind, uint8_t arg)
{
	rec->result.nr_choices = 1;
	rec->result.choices[0] = (struct choice){ 0, (uint8_t)kind, arg };
}

Test(explain, a_boot_that_keeps_frames)
{
	story("allocation 2 of the boot fails: 3 frames are not given back");
	allocation_fails(CHOICE_ALLOC, 1);
	says("the 2nd allocation of the boot fails; 3 frames are not given "
	     "back");
}

Test(explain, a_boot_that_goes_on)
{
	story("allocation 4 of the boot fails, and the boot goes on all the "
	      "same");
	allocation_fails(CHOICE_ALLOC_ON, 3);
	says("the 4th allocation of the boot and all after it fail, and the "
	     "boot goes on all the same");
}

Test(explain, a_boot_that_is_refused)
{
	story("refused at boot: no memory for a page table");
	rec->result.exec.verdict = EXEC_REFUSED;
	allocation_fails(CHOICE_ALLOC, 0);
	says("the 1st allocation of the boot fails; the core refuses, gives "
	     "back all that it took, and nothing goes wrong on the boot after "
	     "that");
}

/* ---- Tasks that wait --------------------------------------------------------------- */

#define LOST_SLOT \
	"lost wake-up: task B sleeps on colour 0 while slot 1 is to be had"

Test(explain, a_wake_up_lost_between_two_looks)
{
	story(LOST_SLOT);
	maps(A, 1, P1);
	begin(B, "kmap p2");
	does(B, SIM_CAS, CELL_COUNT, P1 - 1, 2);
	begin(A, "kunmap p1");
	does(A, SIM_CAS, CELL_COUNT, P1 - 1, 1);
	does(A, SIM_LOAD, CELL_QUEUE, 0, 0);
	does(B, SIM_ADD, CELL_QUEUE, 0, 1);
	acts(B, SIM_PARK, "");
	says("lost wake-up: B sleeps on colour 0 since step 8 while slot 1 is "
	     "to be had: A's kunmap p1 let go of it at step 5 and saw nobody "
	     "in the queue at step 6; B had looked at it before, at step 3, "
	     "and did not look again");
}

Test(explain, a_wake_up_lost_in_a_store_buffer)
{
	story(LOST_SLOT);
	maps(A, 1, P1);
	begin(B, "kmap p2");
	does(B, SIM_STORE, CELL_QUEUE, 0, 0)->held = true;
	rec->entries[2].after = 1;
	does(B, SIM_LOAD, CELL_COUNT, P1 - 1, 2);
	begin(A, "kunmap p1");
	does(A, SIM_CAS, CELL_COUNT, P1 - 1, 1);
	does(A, SIM_LOAD, CELL_QUEUE, 0, 0);
	acts(B, SIM_PARK, "");
	says("lost wake-up: B sleeps on colour 0 since step 8 while slot 1 is "
	     "to be had: A's kunmap p1 let go of it at step 6 and saw nobody "
	     "in the queue at step 7, because B's entry there, of step 3, was "
	     "still held back; B had looked at it before, at step 4, and did "
	     "not look again");
}

Test(explain, nobody_looked_for_waiters)
{
	story(LOST_SLOT);
	maps(A, 1, P1);
	acts(B, SIM_PARK, "");
	begin(A, TRACE_AT_END);
	does(A, SIM_CAS, CELL_COUNT, P1 - 1, 1);
	says("lost wake-up: B sleeps on colour 0 since step 2 while slot 1 is "
	     "to be had: A at its end let go of it at step 4 and did not look "
	     "for waiters");
}

Test(explain, a_look_for_waiters_that_came_too_early)
{
	story(LOST_SLOT);
	maps(A, 1, P1);
	begin(A, "kunmap p1");
	does(A, SIM_LOAD, CELL_QUEUE, 0, 0);
	acts(B, SIM_PARK, "");
	does(A, SIM_CAS, CELL_COUNT, P1 - 1, 1);
	says("lost wake-up: B sleeps on colour 0 since step 4 while slot 1 is "
	     "to be had: A's kunmap p1 let go of it at step 5, but before "
	     "that it saw nobody in the queue at step 3");
}

Test(explain, a_waiter_whose_page_is_mapped)
{
	story("lost wake-up: task B sleeps on colour 0 while its page is "
	      "mapped");
	begin(B, "kmap p2");
	acts(B, SIM_PARK, "");
	begin(A, "try p2");
	does(A, SIM_STORE, CELL_SLOT, MACHINE_LOWMEM_PAGES + 2, 1);
	says("lost wake-up: B sleeps on colour 0 since step 2 while its page "
	     "p2 is mapped: A's try p2 mapped it at step 4 and did not serve "
	     "B");
}

Test(explain, a_waiter_that_was_served_and_not_woken)
{
	struct entry *grant;

	story("task B neither runs nor waits in the queue of a colour");
	begin(B, "kmap p2");
	acts(B, SIM_PARK, "");
	begin(A, "kunmap p1");
	grant = acts(A, SIM_STORE, "B's granted");
	grant->after = 1;
	says("lost wake-up: A's kunmap p1 served B at step 4, and B sleeps on: "
	     "nobody woke it");
}

Test(explain, the_deadlock_of_a_program)
{
	story("deadlock of the program: ...");
	rec->result.exec.verdict = EXEC_DEADLOCK;
	end(A, "kmap p0", "ok");
	end(A, "try p1", "no");
	end(B, "get p3", "ok");
	end(B, "kmap p3", "ok");
	end(B, "kunmap p3", "ok");
	begin(A, "kmap p1");
	acts(A, SIM_PARK, "");
	sets(CELL_TASK, A, 0, 1);
	begin(B, "timeout p2");
	acts(B, SIM_PARK, "");
	sets(CELL_TASK, B, 0, 1);
	says("deadlock of the program: A holds p0 and waits for p1, B holds p3 "
	     "and waits for p2, and no slot is left");
}

/* ---- Locks ---------------------------------------------------------------------------- */

Test(explain, a_handler_spins_on_the_lock_of_whom_it_interrupted)
{
	story("sim: a task spins on a lock that nobody will release");
	begin(A, "kmap p2");
	does(A, SIM_LOCK, CELL_LOCK, 1, 1 + A);
	add(ENTRY_ENTER, I, "");
	begin(I, "get p0");
	add(ENTRY_STALL, I, "spins on queue0.lock");
	says("deadlock on queue0.lock: I's get p0 spins on it since step 5, "
	     "and A's kmap p2, which took it at step 2, is what it "
	     "interrupted and cannot go on");
}

Test(explain, a_task_spins_on_a_lock_of_another)
{
	story("sim: a task spins on a lock that nobody will release");
	begin(A, "kmap p2");
	does(A, SIM_LOCK, CELL_LOCK, 0, 1 + A);
	begin(B, "kmap p1");
	add(ENTRY_STALL, B, "spins on pkmap.lock");
	says("deadlock on pkmap.lock: B's kmap p1 spins on it since step 4, "
	     "and A's kmap p2, which took it at step 2, never lets go");
}

Test(explain, sleep_with_a_lock)
{
	story("sim: sleeping in atomic context");
	begin(B, "kmap p2");
	does(B, SIM_LOCK, CELL_LOCK, 0, 1 + B);
	acts(B, SIM_PARK, "");
	says("sleep with a lock held: B's kmap p2 sleeps at step 3 and has had "
	     "pkmap.lock since step 2");
}

Test(explain, a_lock_that_is_left_behind)
{
	story("highmem_validate: lock 0: not true: "
	      "!port_spin_is_locked(&hm->pkmap.lock)");
	begin(B, "try p2");
	does(B, SIM_LOCK, CELL_LOCK, 0, 1 + B);
	end(B, "try p2", "FAILED");
	says("lock left behind: B's try p2 took pkmap.lock at step 2 and "
	     "returned without letting go");
}

/* ---- Memory --------------------------------------------------------------------------- */

/* p0 was in slot 0, and CPU 1 still thinks so. */
static void stale_story(bool early_flush)
{
	story("stale TLB entry: CPU 1 still has pfn 0x38000 at 0xff800000");
	does(A, SIM_PTE_SET, CELL_PTE, 0, P0);
	sets(CELL_TLB, 0, 1, P0);
	begin(A, "kmap p1");
	if (early_flush)
		acts(A, SIM_SHOOTDOWN, "slot0");
	does(A, SIM_PTE_CLEAR, CELL_PTE, 0, 0);
}

Test(explain, no_flush)
{
	stale_story(false);
	says("stale translation: CPU 1 still finds p0 in slot0, whose PTE A's "
	     "kmap p1 cleared at step 3: no flush followed");
}

Test(explain, a_flush_that_came_too_early)
{
	stale_story(true);
	does(A, SIM_PTE_SET, CELL_PTE, 0, P1);
	says("stale translation: CPU 1 still finds p0 in slot0, whose PTE A's "
	     "kmap p1 cleared at step 4: the flush had come before that, at "
	     "step 3, so CPU 1 loaded it again; A's kmap p1 put p1 there at "
	     "step 5");
}

Test(explain, a_flush_of_one_cpu)
{
	stale_story(false);
	acts(A, SIM_FLUSH_LOCAL, "slot0");
	says("stale translation: CPU 1 still finds p0 in slot0, whose PTE A's "
	     "kmap p1 cleared at step 3: only CPU 0 flushed it, at step 4");
}

Test(explain, a_flush_of_something_else)
{
	stale_story(false);
	acts(A, SIM_SHOOTDOWN, "slot1");
	says("stale translation: CPU 1 still finds p0 in slot0, whose PTE A's "
	     "kmap p1 cleared at step 3: what was flushed, at step 4, was "
	     "slot1");
}

Test(explain, an_interrupt_before_the_flush)
{
	stale_story(false);
	add(ENTRY_ENTER, I, "");
	says("stale translation: CPU 1 still finds p0 in slot0, whose PTE A's "
	     "kmap p1 cleared at step 3: no flush had followed when I came at "
	     "step 4");
}

/* Place 2 is the first window of CPU 0. */
Test(explain, an_interrupt_finds_a_dirty_window)
{
	story("highmem: BUG: not true at core/lib/kmap_local.c:35: "
	      "pte_none(port_pte_read(vaddr))");
	does(A, SIM_PTE_SET, CELL_PTE, 2, P0);
	begin(A, "unlocal");
	does(A, SIM_STORE, CELL_DEPTH, A, 1);
	add(ENTRY_ENTER, I, "");
	begin(I, "local p1");
	does(I, SIM_PTE_SET, CELL_PTE, 2, P1);
	says("dirty window: I's local p1 took window0@cpu0 at step 6 while its "
	     "PTE still held p0; it had interrupted A's unlocal at step 4, "
	     "whose depth was 1 since step 3");
}

Test(explain, two_slots_for_one_page)
{
	story("highmem_validate: slot 0: not true: ...");
	begin(A, "kmap p0");
	maps(A, 0, P0);
	begin(B, "try p0");
	maps(B, 1, P0);
	says("two slots for one page: p0 is in slot 0 since A's kmap p0 (step "
	     "2) and in slot 1 since B's try p0 (step 4): the later one did "
	     "not see the earlier");
}

Test(explain, a_slot_given_to_two)
{
	story("A reads 0xa6000359 at 0xff800000, byte 0 of p0, where "
	      "0xa6000258 belongs: it sees another page or a lost write");
	does(A, SIM_PTE_SET, CELL_PTE, 0, P0);
	begin(B, "kmap p1");
	does(B, SIM_PTE_CLEAR, CELL_PTE, 0, 0);
	does(B, SIM_PTE_SET, CELL_PTE, 0, P1);
	begin(A, "check");
	acts(A, SIM_MEM_LOAD, "slot0+0");
	says("stolen slot: A has p0 mapped, but B's kmap p1 put p1 in its "
	     "place at step 4");
}

Test(explain, a_count_without_a_user)
{
	story("p0 has count 2 and 0 users");
	maps(A, 0, P0);
	begin(A, "kunmap p0");
	does(A, SIM_STORE, CELL_COUNT, P0 - 1, 3);
	begin(B, "kunmap p0");
	does(B, SIM_STORE, CELL_COUNT, P0 - 1, 2);
	says("wrong count: p0 has count 2, but no user: A's kunmap p0 made it "
	     "3 at step 3, and B's kunmap p0 made it 2 at step 5");
}

/* ---- The rest -------------------------------------------------------------------------- */

Test(explain, a_run_without_end)
{
	story("liveness: A gets nowhere in kmap p0, though nothing disturbs it "
	      "any more and every task has its turns");
	rec->result.steps = 300;
	rec->result.calm_since = 100;
	begin(A, "kmap p0");
	begin(B, "kunmap p1");
	says("livelock: no end after 300 steps, without faults and in turns "
	     "since step 100: A's kmap p0 and B's kunmap p1 do not get "
	     "anywhere");
}

Test(explain, a_misuse_in_silence)
{
	story("misuse not reported: kunmap of a page that nobody maps");
	begin(A, "kunmap p0");
	end(A, "kunmap p0", "FAILED");
	says("misuse not reported: A's kunmap p0 at step 2 is a kunmap of a "
	     "page that nobody maps, and the core says nothing");
}

Test(explain, what_nobody_knows)
{
	story("page 3 is odd");
	begin(A, "kmap p0");
	add(ENTRY_ENTER, I, "");
	add(ENTRY_SWITCH, B, "is preempted")->other = A;
	end(B, "check", "FAILED");
	says("p1 is odd; seen in B at its end at step 4; before it, I "
	     "interrupted A's kmap p0 at step 2 and A's kmap p0 was preempted "
	     "at step 3");
}

Test(explain, nothing_to_explain)
{
	story("");
	rec->result.exec.verdict = EXEC_OK;
	says("nothing goes wrong: every task ends, and all that must hold "
	     "holds");
}
