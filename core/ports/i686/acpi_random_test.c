/* SPDX-License-Identifier: MIT */

/* Tables that a seed draws, against a model, and damaged ones. */

#include <criterion/criterion.h>
#include <string.h>

#include "core/build/prng.h"
#include "core/ports/i686/acpi.h"
#include "core/ports/i686/test_acpi.h"

struct model {
	bool there[ACPI_APIC_IDS];
	unsigned int nr, twice, far;
};

static void draw_cpu(struct model *model, uint64_t *seed)
{
	uint32_t flags = prng_below(seed, 4) ? 1 : 0;
	uint32_t id = prng_below(seed, prng_below(seed, 2) ? 20 : 300);

	if (prng_below(seed, 2) || id > 255) {
		put_x2apic_cpu(id, flags);
		model->far += flags && id > 254;
	} else {
		put_cpu((uint8_t)id, flags);
	}
	if (!flags || id > 254)
		return;
	model->twice += model->there[id];
	model->nr += !model->there[id];
	model->there[id] = true;
}

static void draw_tables(struct model *model, uint64_t *seed)
{
	unsigned int nr = prng_below(seed, 80);

	*model = (struct model){ .nr = 0 };
	build();
	madt_len = 44;
	for (unsigned int i = 0; i < nr; i++)
		if (prng_below(seed, 5))
			draw_cpu(model, seed);
		else
			put_other((uint8_t)(10 + prng_below(seed, 100)),
				  (uint8_t)(2 + prng_below(seed, 20)));
	sign_madt();
	if (prng_below(seed, 2))
		put_xsdt(RSDP, prng_below(seed, 2) ? RSDT : 0);
	if (prng_below(seed, 2)) {
		*at(0x40f) = EBDA >> 12;
		*at(0x40e) = (uint8_t)(EBDA >> 4);
		memcpy(at(EBDA + 16 * prng_below(seed, 60)), at(RSDP), 36);
	}
}

Test(acpi_random, cpus_are_those_of_the_model)
{
	for (uint64_t start = 0; start < 2000; start++) {
		uint64_t seed = start;
		struct acpi_cpus cpus;
		struct model model;
		const char *why;

		draw_tables(&model, &seed);
		why = acpi_find_cpus(&cpus, read);
		cr_assert_eq(why == NULL, model.nr != 0, "seed %u: %s",
			     (unsigned int)start, why);
		cr_assert_eq(cpus.nr, model.nr);
		cr_assert_eq(cpus.nr_twice, model.twice);
		cr_assert_eq(cpus.nr_far, model.far);
		for (unsigned int i = 0; i < cpus.nr && i < ACPI_MAX_CPUS;
		     i++) {
			cr_assert(model.there[cpus.apic_id[i]]);
			model.there[cpus.apic_id[i]] = false;
		}
	}
}

/* Where the tables are, with a byte for what it points at. */
static uint32_t draw_place(uint64_t *seed)
{
	switch (prng_below(seed, 5)) {
	case 0:
		return RSDP + prng_below(seed, 36);
	case 1:
		return RSDT + prng_below(seed, 44);
	case 2:
		return XSDT + prng_below(seed, 52);
	case 3:
		return MADT + prng_below(seed, 44);
	default:
		return MADT + prng_below(seed, madt_len);
	}
}

/* A damaged byte is noticed by a sum; so mostly the sums are made right. */
static void sign_all(void)
{
	uint32_t len;

	memcpy(&len, at(MADT + 4), 4);
	if (len >= 36 && len < 0x1000)
		sign(MADT, len, 9);
	memcpy(&len, at(RSDT + 4), 4);
	if (len >= 36 && len < 0x1000)
		sign(RSDT, len, 9);
	memcpy(&len, at(XSDT + 4), 4);
	if (len >= 36 && len < 0x1000)
		sign(XSDT, len, 9);
	sign(RSDP, 20, 8);
	sign(RSDP, 36, 32);
}

Test(acpi_random, damaged_tables_are_read_to_an_end)
{
	unsigned int refused = 0;

	for (uint64_t start = 0; start < 5000; start++) {
		uint64_t seed = start;
		struct acpi_cpus cpus;
		struct model model;
		const char *why;

		draw_tables(&model, &seed);
		for (unsigned int i = prng_below(&seed, 5) + 1; i-- > 0;)
			*at(draw_place(&seed)) = (uint8_t)prng_next(&seed);
		if (prng_below(&seed, 4))
			sign_all();
		why = acpi_find_cpus(&cpus, read);
		refused += why != NULL;
		if (why)
			cr_assert_gt(strlen(why), 10);
		else
			cr_assert_gt(cpus.nr, 0);
		for (unsigned int i = 1; i < cpus.nr && i < ACPI_MAX_CPUS; i++)
			for (unsigned int j = 0; j < i; j++)
				cr_assert_neq(cpus.apic_id[i], cpus.apic_id[j]);
	}
	cr_expect_gt(refused, 500);
	cr_expect_lt(refused, 4500);
}
