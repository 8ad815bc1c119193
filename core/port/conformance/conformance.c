/* SPDX-License-Identifier: MIT */
#include "core/port/conformance/state.h"

struct highmem *ct_hm;

static char failure[192];
static const char *skip;

#define CT_ENTRY(name) { #name, ct_##name },
const struct conformance_case conformance_cases[] = { CT_CASES_PKMAP(
	CT_ENTRY) CT_CASES_LOCAL(CT_ENTRY) };
#undef CT_ENTRY

const unsigned int conformance_nr_cases = sizeof(conformance_cases) /
					  sizeof(conformance_cases[0]);

void ct_fail(const char *file, unsigned int line, const char *cond)
{
	if (failure[0] == '\0')
		hm_format(failure, sizeof(failure), "%s:%u: not true: %s", file,
			  line, cond);
}

/*
 * A port that has nothing but PAE runs with it what does not ask for it, too:
 * all slots are fewer then.
 */
static const char *choose_pae(struct machine_config *config)
{
	const char *why = machine_can(config);

	if (!why || config->pae)
		return why;
	config->pae = true;
	if (config->nr_slots == LAST_PKMAP_NONPAE)
		config->nr_slots = LAST_PKMAP_PAE;
	return machine_can(config) ? why : NULL;
}

bool ct_boot(const struct machine_config *config)
{
	static char note[128];
	struct machine_config chosen = *config;
	const char *why = choose_pae(&chosen);

	failure[0] = '\0';
	skip = NULL;
	ct_hm = NULL;
	if (why) {
		hm_format(note, sizeof(note), "skip: %s", why);
		skip = note;
		return false;
	}
	ct_hm = machine_boot(&chosen);
	ct_tag_pages();
	return true;
}

static void fail_with(const char *sentence)
{
	if (sentence && failure[0] == '\0')
		hm_format(failure, sizeof(failure), "%s", sentence);
}

const char *ct_finish(void)
{
	if (skip)
		return skip;
	if (machine_run() == MACHINE_STALLED)
		fail_with("a task sleeps and nobody wakes it");
	fail_with(machine_take_bug());
	if (failure[0] == '\0')
		fail_with(highmem_validate(ct_hm));
	if (failure[0] == '\0')
		fail_with(machine_audit());
	machine_shutdown();
	return failure[0] ? failure : NULL;
}

const char *ct_run_one(const struct machine_config *config,
		       void (*entry)(void *arg))
{
	if (ct_boot(config))
		machine_spawn(0, entry, NULL);
	return ct_finish();
}

const char *ct_run_small(void (*entry)(void *arg))
{
	const struct machine_config config = CT_SMALL;

	return ct_run_one(&config, entry);
}

static bool begins_with(const char *text, const char *beginning)
{
	while (*beginning)
		if (*text++ != *beginning++)
			return false;
	return true;
}

void ct_expect_bug(const char *beginning)
{
	const char *bug = machine_take_bug();

	if (bug && begins_with(bug, beginning))
		return;
	if (failure[0] == '\0')
		hm_format(failure, sizeof(failure),
			  "reported: %s; expected: %s", bug ? bug : "nothing",
			  beginning);
}

struct page *ct_page(unsigned int n)
{
	return &ct_hm->config.mem_map[MACHINE_LOWMEM_PAGES + n];
}

struct page *ct_lowmem_page(unsigned int n)
{
	return &ct_hm->config.mem_map[n];
}

static uint32_t tag_of(const struct page *page)
{
	return 0x7a900000u + page_to_pfn(ct_hm, page);
}

void ct_tag_pages(void)
{
	for (unsigned int i = 0; i < ct_hm->config.nr_pages; i++) {
		struct page *page = &ct_hm->config.mem_map[i];

		machine_poke32(page, 0, tag_of(page));
		machine_poke32(page, PAGE_SIZE - 4, ~tag_of(page));
	}
}

bool ct_shows(const void *vaddr, const struct page *page)
{
	const char *last = (const char *)vaddr + PAGE_SIZE - 4;

	return machine_load32(vaddr) == tag_of(page) &&
	       machine_load32(last) == ~tag_of(page);
}
