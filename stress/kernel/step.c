/* SPDX-License-Identifier: MIT */

/*
 * Interrupts cannot be tried at random: the dangerous place may be one
 * instruction wide. With the trap flag set the CPU stops after each
 * instruction, so one pass through the code puts an interrupt, or a context
 * switch, at every place where there can be one.
 */

#include <highmem/format.h>

#include "core/port/machine.h"
#include "core/ports/i686/console.h"
#include "core/ports/i686/i686.h"
#include "stress/kernel/cases.h"
#include "stress/kernel/world.h"

/* Fewer stops than this in one pass: the trap flag does not work here. */
#define LEAST_STOPS 50

/* Slots; with three pages to map there is always one idle slot to flush. */
#define NR_SLOTS 2

struct pass {
	void (*body)(void *arg);
	unsigned int depth;
	struct i686_step_count count;
};

/* ---- What is interrupted --------------------------------------------------- */

/* Pages 1 to depth, nested. */
static void map_local(void *arg)
{
	const struct pass *pass = arg;
	void *vaddr[KM_MAX_IDX];

	for (unsigned int i = 0; i < pass->depth; i++) {
		vaddr[i] = kmap_local_page(world_hm(), world_page(i + 1));
		world_check_tag(vaddr[i], i + 1);
	}
	for (unsigned int i = pass->depth; i-- > 0;) {
		world_check_tag(vaddr[i], i + 1);
		kunmap_local(world_hm(), vaddr[i]);
	}
}

static void map_atomic(void *arg)
{
	const struct pass *pass = arg;
	void *outer = kmap_atomic(world_hm(), world_page(1));
	void *inner = kmap_atomic(world_hm(), world_page(pass->depth));

	world_check_tag(inner, pass->depth);
	kunmap_atomic(world_hm(), inner);
	world_check_tag(outer, 1);
	kunmap_atomic(world_hm(), outer);
}

/* The shared page first, which interrupts pin, then others until it is gone. */
static void map_pkmap(void *arg)
{
	static const unsigned int order[] = { WORLD_SHARED_PAGE, 1, 2,
					      WORLD_SHARED_PAGE };
	const struct pass *pass = arg;

	for (unsigned int i = 0; i < pass->depth; i++) {
		unsigned int nr = order[i];
		void *vaddr = kmap(world_hm(), world_page(nr));

		world_check_tag(vaddr, nr);
		kunmap(world_hm(), world_page(nr));
	}
	kmap_flush_unused(world_hm());
}

/* ---- Interrupts ------------------------------------------------------------- */

static void interrupted_task(void *arg)
{
	struct pass *pass = arg;

	pass->count = i686_step(pass->body, pass, world_intrude, NULL);
}

static const char *finish(const struct pass *pass)
{
	const char *why = world_run();
	static char sentence[96];

	console_printf("# %u instructions, stopped after %u of them\n",
		       pass->count.instructions, pass->count.interrupts);
	if (why || pass->count.interrupts >= LEAST_STOPS)
		return why;
	hm_format(sentence, sizeof(sentence),
		  "the trap flag stopped only %u of %u instructions",
		  pass->count.interrupts, pass->count.instructions);
	return sentence;
}

static const char *interrupt_everywhere(void (*body)(void *),
					unsigned int depth)
{
	struct pass pass = { .body = body, .depth = depth };

	world_boot(NR_SLOTS);
	machine_spawn(0, interrupted_task, &pass);
	return finish(&pass);
}

static const char *interrupt_local_1(void)
{
	return interrupt_everywhere(map_local, 1);
}

static const char *interrupt_local_3(void)
{
	return interrupt_everywhere(map_local, 3);
}

static const char *interrupt_atomic(void)
{
	return interrupt_everywhere(map_atomic, 2);
}

static const char *interrupt_pkmap(void)
{
	return interrupt_everywhere(map_pkmap, 4);
}

/* ---- Context switches --------------------------------------------------------- */

static struct {
	bool stepping;	     /* the first task is not through yet */
	unsigned int rounds; /* of the second task */
} pair;

static void switch_hook(void *unused)
{
	(void)unused;
	i686_resched();
}

static void switched_task(void *arg)
{
	struct pass *pass = arg;

	pass->count = i686_step(pass->body, pass, switch_hook, NULL);
	pair.stepping = false;
}

/* Holds two windows whenever the other task runs. */
static void partner_task(void *unused)
{
	void *outer, *inner;

	(void)unused;
	while (pair.stepping) {
		outer = kmap_local_page(world_hm(), world_page(5));
		inner = kmap_local_page(world_hm(), world_page(6));
		world_check_tag(inner, 6);
		machine_yield(0);
		world_check_tag(outer, 5);
		world_check_tag(inner, 6);
		kunmap_local(world_hm(), inner);
		kunmap_local(world_hm(), outer);
		pair.rounds++;
	}
}

static const char *switch_everywhere(void (*body)(void *), unsigned int depth)
{
	struct pass pass = { .body = body, .depth = depth };
	const char *why;

	world_boot(NR_SLOTS);
	pair.stepping = true;
	pair.rounds = 0;
	machine_spawn(0, switched_task, &pass);
	machine_spawn(0, partner_task, NULL);
	i686_set_round_robin(true);
	why = finish(&pass);
	i686_set_round_robin(false);
	console_printf("# %u rounds of the other task\n", pair.rounds);
	if (!why && pair.rounds < LEAST_STOPS)
		return "the other task hardly ran: no switches";
	return why;
}

static const char *switch_local_1(void)
{
	return switch_everywhere(map_local, 1);
}

static const char *switch_local_3(void)
{
	return switch_everywhere(map_local, 3);
}

static const char *switch_pkmap(void)
{
	return switch_everywhere(map_pkmap, 4);
}

const struct conformance_case step_cases[] = {
	{ "interrupt_at_every_instruction_local", interrupt_local_1 },
	{ "interrupt_at_every_instruction_local_nested", interrupt_local_3 },
	{ "interrupt_at_every_instruction_atomic", interrupt_atomic },
	{ "interrupt_at_every_instruction_kmap", interrupt_pkmap },
	{ "switch_at_every_instruction_local", switch_local_1 },
	{ "switch_at_every_instruction_local_nested", switch_local_3 },
	{ "switch_at_every_instruction_kmap", switch_pkmap },
};

const unsigned int step_nr_cases = sizeof(step_cases) / sizeof(step_cases[0]);
