/* SPDX-License-Identifier: MIT */

/*
 * Slots from hand to hand and counts up and down, with an interrupt, or a
 * switch, at each place in turn (places.h).
 */

#include "core/port/machine.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/places.h"
#include "stress/kernel/world.h"

/* ---- One task waits for a slot, another lets go of one ---------------------- */

/* The holder has the shared page and one more in two slots. */
#define NR_SLOTS 2
#define HELD_PAGE 1
#define WANTED_PAGE 2

#define WAITER_ID 2

static struct {
	bool released; /* the shared page, by whoever came first */
	bool served;   /* the waiter, by whatever way */
} handover;

static void release(void *unused)
{
	(void)unused;
	if (handover.released)
		return;
	handover.released = true;
	kunmap(world_hm(), world_page(WORLD_SHARED_PAGE));
}

static void want(void *vaddr)
{
	*(void **)vaddr = kmap(world_hm(), world_page(WANTED_PAGE));
}

static void finish_waiting(const void *vaddr)
{
	handover.served = true;
	world_check_tag(vaddr, WANTED_PAGE);
	kunmap(world_hm(), world_page(WANTED_PAGE));
}

static void *hold_two(void)
{
	void *shared, *held;

	handover.released = false;
	handover.served = false;
	shared = kmap(world_hm(), world_page(WORLD_SHARED_PAGE));
	world_check_tag(shared, WORLD_SHARED_PAGE);
	held = kmap(world_hm(), world_page(HELD_PAGE));
	machine_yield(2); /* the waiter asks now */
	return held;
}

/* The waiter has to get the released slot; the other one is still held. */
static void let_waiter_be_served(const void *held)
{
	while (!handover.served && !machine_task_asleep(WAITER_ID))
		machine_yield(3);
	if (!handover.served)
		world_fail("the waiter sleeps, and there is a slot for it");
	world_check_tag(held, HELD_PAGE);
	kunmap(world_hm(), world_page(HELD_PAGE));
}

static void holder(void *unused)
{
	void *held = hold_two();

	release(unused);
	let_waiter_be_served(held);
}

static void interrupted_holder(void *unused)
{
	void *held = hold_two();

	interrupted(release, unused);
	let_waiter_be_served(held);
}

static void waiter(void *unused)
{
	void *vaddr;

	(void)unused;
	want(&vaddr);
	finish_waiting(vaddr);
}

static void interrupted_waiter(void *unused)
{
	void *vaddr;

	(void)unused;
	interrupted(want, &vaddr);
	finish_waiting(vaddr);
}

static const char *interrupt_in_handover(void)
{
	static const struct scenario scenario = {
		.nr_slots = NR_SLOTS,
		.task = { interrupted_holder, waiter },
		.intrude = world_intrude,
	};

	return try_every_place(&scenario);
}

/* kunmap() is allowed in interrupts: it may come from anywhere. */
static void intrude_and_release(void *unused)
{
	release(unused);
	world_intrude(unused);
}

static const char *release_in_wait(void)
{
	static const struct scenario scenario = {
		.nr_slots = NR_SLOTS,
		.task = { holder, interrupted_waiter },
		.intrude = intrude_and_release,
	};

	return try_every_place(&scenario);
}

static void switch_away(void *unused)
{
	(void)unused;
	i686_resched();
}

static const char *switch_in_wait(void)
{
	static const struct scenario scenario = {
		.nr_slots = NR_SLOTS,
		.task = { holder, interrupted_waiter },
		.intrude = switch_away,
		.round_robin = true,
	};

	return try_every_place(&scenario);
}

/* ---- One page, its count up and down ------------------------------------------ */

static unsigned int pins; /* the task's and the interrupt's */

static void pin_and_unpin(void *unused)
{
	void *vaddr;

	(void)unused;
	vaddr = kmap(world_hm(), world_page(WORLD_SHARED_PAGE));
	world_check_tag(vaddr, WORLD_SHARED_PAGE);
	kunmap(world_hm(), world_page(WORLD_SHARED_PAGE));
}

/* Every pin that is left has to be there; with the last, the slot is idle. */
static void pin_task(void *unused)
{
	struct page *page = world_page(WORLD_SHARED_PAGE);
	uint32_t count;

	kmap(world_hm(), page);
	pins = 1;
	interrupted(pin_and_unpin, unused);
	count = pkmap_word_count(port_atomic_load(&page->pkmap));
	if (count != pins + 1)
		world_fail("%u users, but the count is %u", pins, count);
	while (pins--)
		kunmap(world_hm(), page);
}

static void intrude_and_pin(void *unused)
{
	(void)unused;
	if (kmap_high_get(world_hm(), world_page(WORLD_SHARED_PAGE)))
		pins++;
}

static void intrude_and_unpin(void *unused)
{
	(void)unused;
	kunmap(world_hm(), world_page(WORLD_SHARED_PAGE));
	pins--;
}

static const char *pin_at_each_place(void)
{
	static const struct scenario scenario = {
		.nr_slots = NR_SLOTS,
		.task = { pin_task },
		.intrude = intrude_and_pin,
	};

	return try_every_place(&scenario);
}

static const char *unpin_at_each_place(void)
{
	static const struct scenario scenario = {
		.nr_slots = NR_SLOTS,
		.task = { pin_task },
		.intrude = intrude_and_unpin,
	};

	return try_every_place(&scenario);
}

/* ---- A hit on an idle slot that another task takes away --------------------- */

static void hit_task(void *unused)
{
	kmap(world_hm(), world_page(WORLD_SHARED_PAGE));
	kunmap(world_hm(), world_page(WORLD_SHARED_PAGE));
	interrupted(pin_and_unpin, unused);
}

/* Takes as many slots as are idle, so as not to wait for the other task. */
static void evicting_task(void *unused)
{
	void *vaddr[NR_SLOTS];

	(void)unused;
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		vaddr[i] = kmap_try(world_hm(), world_page(i + 1));
	machine_yield(1);
	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		if (!vaddr[i])
			continue;
		world_check_tag(vaddr[i], i + 1);
		kunmap(world_hm(), world_page(i + 1));
	}
}

static const char *evict_at_each_place(void)
{
	static const struct scenario scenario = {
		.nr_slots = NR_SLOTS,
		.task = { hit_task, evicting_task },
		.intrude = switch_away,
		.round_robin = true,
	};

	return try_every_place(&scenario);
}

const struct conformance_case handover_cases[] = {
	{ "interrupt_at_each_instruction_of_a_handover", interrupt_in_handover },
	{ "release_at_each_instruction_of_a_wait", release_in_wait },
	{ "switch_at_each_instruction_of_a_wait", switch_in_wait },
	{ "pin_at_each_instruction_of_a_hit", pin_at_each_place },
	{ "unpin_at_each_instruction_of_a_hit", unpin_at_each_place },
	{ "evict_at_each_instruction_of_a_hit", evict_at_each_place },
};

const unsigned int handover_nr_cases = sizeof(handover_cases) /
				       sizeof(handover_cases[0]);
