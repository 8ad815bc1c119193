/* SPDX-License-Identifier: MIT */
#include "stress/oracle/test_run.h"

#include "core/build/prng.h"

/*
 * A look at what has changed must come to the same as a look at everything:
 * on sound machines, and on machines that something breaks between two
 * operations, each word that the oracle reads among it.
 */
#define NR_PROGRAMS 20000

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	return (uint32_t)(prng_next(&seed) >> 32) % below;
}

/* One time of four the value of another place, which may look sound. */
static uint32_t another(uint32_t now, uint32_t below)
{
	return draw(4) == 0 ? now + 1 : draw(below);
}

static void set(port_atomic_t *word, uint32_t below)
{
	port_atomic_store(word, another(port_atomic_load(word), below));
}

static void set_pte(struct highmem *hm, vaddr_t vaddr)
{
	pfn_t pfn = page_to_pfn(hm,
				&hm->config.mem_map[draw(hm->config.nr_pages)]);

	port_pte_clear(vaddr);
	if (draw(2))
		port_pte_set(vaddr, pte_make(pfn, hm->config.prot));
}

static struct pkmap_waiter nobody;

/* The slot of another page, another count, or nothing like either. */
static void set_word(struct highmem *hm, struct page *page)
{
	uint32_t word = port_atomic_load(&page->pkmap);
	unsigned int slot = draw(2) ? draw(hm->config.nr_slots + 1)
				    : pkmap_word_slot(word);

	port_atomic_store(&page->pkmap,
			  draw(8) ? pkmap_word(slot, draw(4)) : draw(4));
}

static void break_something(struct highmem *hm)
{
	struct pkmap_slot *slot = &hm->pkmap.slot[draw(hm->config.nr_slots)];
	struct pkmap_queue *queue =
		&hm->pkmap.queue[draw(hm->config.nr_colours)];

	switch (draw(9)) {
	case 0:
		queue->given ^= 1;
		break;
	case 1:
		set(&slot->page, hm->config.nr_pages + 2);
		break;
	case 2:
		set_word(hm, &hm->config.mem_map[draw(hm->config.nr_pages)]);
		break;
	case 3:
		hm->pkmap.free[draw(3)] ^= 1u << draw(32);
		break;
	case 4:
		set_pte(hm, hm->config.pkmap_base +
				    draw(hm->config.nr_slots) * PAGE_SIZE);
		break;
	case 5:
		set_pte(hm, fixmap_vaddr(FIX_KMAP_BEGIN +
					 draw(KM_MAX_IDX * HIGHMEM_MAX_CPUS)));
		break;
	case 6:
		hm->pkmap.hand[draw(hm->config.nr_colours)] = draw(
			hm->config.nr_slots + 2);
		break;
	case 7:
		queue->tail = &nobody; /* a length would be believed */
		break;
	default:
		*slot = (struct pkmap_slot){ 0 }; /* forgotten, all of it */
		break;
	}
}

/* What the break itself made the machine say is not the oracle's find. */
static void break_in_silence(struct highmem *hm)
{
	break_something(hm);
	while (machine_take_bug())
		;
}

static void run_drawn(struct sabotage *sabotage)
{
	const struct exec_options options = {
		.look = LOOK_TWICE,
		.trace = sabotage ? tell : NULL,
		.trace_arg = sabotage,
	};
	uint8_t bytes[96];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)draw(256);
	program_decode(&program, bytes, sizeof(bytes));
	story[0] = '\0';
	performed = 0;
	exec_program(&program, &options, &result);
}

#define DIFFERS "a look at what changed "

static void expect_agreement(void)
{
	cr_expect_neq(strncmp(result.sentence, DIFFERS, strlen(DIFFERS)), 0,
		      "seed %lu: %s", (unsigned long)seed, result.sentence);
}

Test(oracle_look, sound_machines)
{
	for (seed = 1; seed < NR_PROGRAMS;) {
		uint64_t next = seed + 1;

		run_drawn(NULL);
		cr_expect_neq(result.verdict, EXEC_BUG, "%s", result.sentence);
		seed = next;
	}
}

Test(oracle_look, broken_machines)
{
	unsigned int seen = 0;

	for (uint64_t i = 1; i < NR_PROGRAMS; i++) {
		struct sabotage sabotage = { .act = break_in_silence };

		seed = i;
		sabotage.when = 1 + draw(12);
		run_drawn(&sabotage);
		expect_agreement();
		seen += result.verdict == EXEC_BUG;
	}
	cr_expect_gt(seen, NR_PROGRAMS / 2, "%u of them are seen", seen);
}
