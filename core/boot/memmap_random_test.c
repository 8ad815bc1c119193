/* SPDX-License-Identifier: MIT */

/*
 * Firmware maps that a seed draws, against a model that asks of each piece of
 * each frame what the ranges say of it.
 */

#include <criterion/criterion.h>
#include <string.h>

#include <highmem/memmap.h>

#include "core/build/prng.h"

/* All that happens is in so many frames; bounds lie on eighths of one. */
#define FRAMES 160
#define PIECES 8
#define PIECE_BYTES ((uint64_t)(1 << PAGE_SHIFT) / PIECES)
#define MANY 3000

struct model {
	bool ram[FRAMES * PIECES];
	bool other[FRAMES * PIECES];
};

struct range {
	unsigned int first, end; /* pieces */
	uint32_t type;
};

/* One in @others is no RAM. */
static uint32_t draw_type(uint64_t *seed, unsigned int others)
{
	static const uint32_t types[] = { 2, 3, 4, 5, 0, 12, 20, UINT32_MAX };

	if (prng_below(seed, others))
		return MEMMAP_RAM;
	return types[prng_below(seed, sizeof(types) / sizeof(types[0]))];
}

/*
 * Short ones and empty ones, and one in @others / 2 is long; most bounds are
 * those of frames.
 */
static struct range draw_range(uint64_t *seed, unsigned int others)
{
	struct range range = { .type = draw_type(seed, others) };
	unsigned int longest = prng_below(seed, others / 2) ||
					       range.type != MEMMAP_RAM
				       ? 3 * PIECES
				       : FRAMES * PIECES / 4;
	unsigned int first = prng_below(seed, FRAMES * PIECES);
	unsigned int nr = prng_below(seed, longest);

	if (prng_below(seed, 3)) {
		first -= first % PIECES;
		nr -= nr % PIECES;
	}
	range.first = first;
	range.end = first + nr < FRAMES * PIECES ? first + nr : FRAMES * PIECES;
	return range;
}

static void model_add(struct model *model, const struct range *range)
{
	for (unsigned int i = range->first; i < range->end; i++)
		if (range->type == MEMMAP_RAM)
			model->ram[i] = true;
		else
			model->other[i] = true;
}

static bool model_has(const struct model *model, unsigned int frame)
{
	for (unsigned int i = 0; i < PIECES; i++)
		if (!model->ram[frame * PIECES + i] ||
		    model->other[frame * PIECES + i])
			return false;
	return true;
}

/* In order, none empty, no two that touch: there is one way to write it. */
static void expect_in_order(const struct memmap *ram)
{
	uint64_t last = 0;

	for (unsigned int i = 0; i < ram->nr; i++) {
		const struct memmap_range *range = &ram->range[i];

		cr_assert_lt(range->start, range->end);
		cr_assert(i == 0 || range->start > last);
		cr_assert_eq(range->type, MEMMAP_RAM);
		last = range->end;
	}
}

/* Returns how many of the frames are RAM. */
static unsigned int expect_model(const struct memmap *map,
				 const struct model *model, uint64_t base,
				 uint64_t seed)
{
	struct memmap ram;
	const char *why = memmap_ram(&ram, map);
	unsigned int nr = 0;

	expect_in_order(&ram);
	for (unsigned int i = 0; i < FRAMES; i++) {
		uint64_t frame = (base >> PAGE_SHIFT) + i;
		bool here = memmap_frames(&ram, frame, frame + 1) != 0;

		cr_assert_eq(here, model_has(model, i), "seed %lu, frame %u",
			     (unsigned long)seed, i);
		nr += here;
	}
	cr_assert_eq(memmap_frames(&ram, 0, UINT64_MAX), nr, "RAM elsewhere");
	cr_assert_eq(why != NULL, nr == 0, "%s", why ? why : "no RAM");
	return nr;
}

/* Near address 0, around 4 GiB, and as far up as 64 bits go. */
static uint64_t draw_base(uint64_t *seed)
{
	static const uint64_t bases[] = {
		0,
		UINT64_C(0xfffc0000),
		UINT64_MAX - ((uint64_t)(FRAMES + 1) << PAGE_SHIFT) + 1,
	};

	return bases[prng_below(seed, 3)];
}

static void put(struct memmap *map, const struct range *range, uint64_t base)
{
	map->range[map->nr++] = (struct memmap_range){
		.start = base + range->first * PIECE_BYTES,
		.end = base + range->end * PIECE_BYTES,
		.type = range->type,
	};
}

Test(memmap_random, ram_is_what_the_model_says)
{
	unsigned int mixed = 0;

	for (uint64_t start = 0; start < 1500; start++) {
		uint64_t seed = start;
		uint64_t base = draw_base(&seed);
		unsigned int most = prng_below(&seed, 4) ? 40
							 : MEMMAP_MAX_RANGES;
		unsigned int nr = prng_below(&seed, most + 1);
		struct memmap map = { .nr = 0 };
		struct model model = { .ram = { false } };

		while (map.nr < nr) {
			struct range range = draw_range(&seed, 2 + most / 20);

			put(&map, &range, base);
			model_add(&model, &range);
		}
		nr = expect_model(&map, &model, base, start);
		mixed += nr > 10 && nr < FRAMES - 10;
	}
	cr_expect_gt(mixed, 1000, "%u", mixed);
}

/* More than there is room for, so that some become one again and again. */
Test(memmap_random, thousands_are_united)
{
	unsigned int mixed = 0, nr;

	for (uint64_t start = 0; start < 60; start++) {
		uint64_t seed = start;
		uint64_t base = draw_base(&seed);
		struct memmap map = { .nr = 0 };
		struct model model = { .ram = { false } };

		for (unsigned int i = 0; i < MANY; i++) {
			struct range range = draw_range(&seed, 50);
			const char *why = memmap_add(
				&map, base + range.first * PIECE_BYTES,
				base + range.end * PIECE_BYTES, range.type);

			cr_assert_null(why, "%s", why);
			model_add(&model, &range);
			if (i % 500 == 0)
				expect_model(&map, &model, base, start);
		}
		nr = expect_model(&map, &model, base, start);
		mixed += nr > 10 && nr < FRAMES - 10;
	}
	cr_expect_gt(mixed, 40, "%u", mixed);
}
