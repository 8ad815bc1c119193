/* SPDX-License-Identifier: MIT */
#include "stress/oracle/finding.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "stress/process/write_whole.h"

/*
 * The kinds, and how their normalised sentences begin. The first that fits
 * counts. finding_test sees to it that every sentence in core/ has its kind,
 * and every kind a sentence.
 */
#define FINDINGS(F) \
	/* The oracle: what a task sees. */ \
	F(wrong_content, "task reads # at #, byte # of page") \
	F(page_moved, "page moved while task had it mapped") \
	F(address_names_another_page, "kmap_to_page of # is not page") \
	F(address_of_another_page, "page_address of page is #") \
	F(stale_address_shows, "task had page at #, where the PTE says") \
	F(no_map_given, "kmap returned NULL") \
	F(gave_up_unasked, "kmap_killable gave up without a signal") \
	F(map_in_atomic_context, "kmap in atomic context gave a map") \
	F(refused_mapped_page, "kmap_try refused page, which is mapped") \
	F(refused_with_a_slot_left, "kmap_try refused page, but ") \
	F(unexplained_answer, "no order of the operations explains") \
	F(overtaken, "overtaken: ") \
	/* Of slots and pages. */ \
	F(page_in_no_slot, "a page is mapped in slot #, of #") \
	F(wrong_count, "page has count # and # users") \
	F(slot_disagrees, "the PTE of slot #, kmap_to_page and") \
	F(free_slot_has_a_page, "slot # is free, but kmap_to_page") \
	F(outlives_flush, "page outlives ") \
	F(slot_lost, "slot # is lost") \
	F(map_in_no_slot, "task has page at #: no slot for it") \
	F(map_of_another_page, "task has page at #, where the PTE says") \
	F(slot_not_free_at_end, "slot # is not free after all tasks") \
	F(slot_mapped_at_end, "slot # is mapped after all tasks") \
	F(slots_refused_at_end, "only # of # slots are to be had") \
	F(slots_lost_at_end, "not all slots are to be had") \
	F(page_elsewhere_at_end, "after all tasks have ended page is") \
	F(last_flush_hangs, "the last flush does not return") \
	F(statistics_lost, "the statistics have # slots mapped and # retired") \
	F(too_many_shootdowns, "# shootdowns for # retired slots") \
	/* Of who waits. */ \
	F(lost_wakeup, "lost wake-up: ") \
	F(sleeps_on_after_signal, "task task sleeps on in kmap_killable") \
	F(waits_in_try, "task task waits in kmap_try") \
	F(broken_queue, "the queue of colour # has") \
	F(forgotten_waiter, "task task neither runs nor waits") \
	F(gets_nowhere, "liveness: ") \
	/* Of local maps. */ \
	F(window_has_another_page, "window # of CPU # is not task's map") \
	F(window_left_mapped, "window # of CPU # is not empty above") \
	F(window_left_at_end, "CPU # has a local map after all tasks") \
	F(handler_left_a_window, "task's interrupt leaves a local map") \
	F(handler_changed_a_window, "task's interrupt leaves the windows") \
	F(one_window_too_many, "a local map beyond the last window") \
	F(one_window_too_few, "a local map was refused with windows left") \
	/* Of misuses, and of itself. */ \
	F(misuse_not_reported, "misuse not reported: ") \
	F(looks_disagree, "a look at what ") \
	/* The core. */ \
	F(core_check, "highmem: BUG: not true at ") \
	F(inconsistent_state, "highmem_validate: ") \
	F(unasked_kunmap_report, "highmem: BUG: kunmap of ") \
	F(unasked_kunmap_local_report, "highmem: BUG: kunmap_") \
	F(unasked_kmap_report, "highmem: BUG: kmap of ") \
	F(unasked_local_map_report, "highmem: BUG: local map of ") \
	F(unasked_report, "highmem: BUG: ") \
	/* The machine. */ \
	F(stale_tlb_entry, "stale TLB entry: ") \
	F(still_translated, "CPU # still translates # to frame #") \
	F(page_fault, "page fault at ") \
	F(sleeps_in_atomic_context, "sim: sleeping in atomic context") \
	F(shootdown_can_deadlock, "sim: shootdown with interrupts off") \
	F(locked_twice, "sim: a spin lock is taken twice") \
	F(lock_not_held, "sim: a spin lock is released that is not held") \
	F(spins_for_ever, "sim: a task spins on a lock") \
	F(shootdown_deadlock, "sim: CPU # waits with interrupts off") \
	F(interrupt_keeps_something, "sim: an interrupt ") \
	F(task_ends_in_atomic_context, "sim: a task ends ") \
	F(preempt_count_below_zero, "sim: preemption enabled more often") \
	F(migrate_count_below_zero, "sim: migration enabled more often") \
	F(pc_preempt_count_below_zero, "preemption enabled more often") \
	F(pc_migrate_count_below_zero, "migration enabled more often") \
	F(half_an_entry, "sim: the upper half of the PTE") \
	F(pte_over_pte, "sim: port_pte_set over a PTE") \
	F(no_page_table, "sim: a PTE without a page table") \
	F(no_cr3, "sim: CR# cannot be loaded") \
	F(frame_leak, "allocation # of the boot fails") \
	F(frame_given_back_twice, "sim: a frame was given back") \
	F(areas_apart, "sim: pkmap and the fixmap are not side by side") \
	F(machine_report, "sim: ") \
	F(host_report, "host: ") \
	/* Torture, of a round as a whole. */ \
	F(deadlock_of_a_safe_program, "a deadlock in a program that cannot") \
	F(memory_leak, "memory leaked; ") \
	/* pgtable_fuzz_test, which has sentences of its own. */ \
	F(page_tables, "page tables: ")

#define LONGEST 512

typedef void end_fn(void);

/* No tail call, and no two that a compiler may take for one. */
#define HERE __asm__ volatile("" : : "i"(__COUNTER__) : "memory")

/*
 * Frames for sentences, kilo_tango() and the like. Some sort crashes by how much
 * names differ, so these have little in common; and there are so many that two
 * sentences seldom share one.
 */
/* clang-format off */
#define WORDS(V, first) \
	V(first##_alfa) V(first##_bravo) V(first##_charlie) V(first##_delta) \
	V(first##_echo) V(first##_foxtrot) V(first##_golf) V(first##_hotel) \
	V(first##_india) V(first##_juliett) V(first##_kilo) V(first##_lima) \
	V(first##_mike) V(first##_november) V(first##_oscar) V(first##_papa) \
	V(first##_quebec) V(first##_romeo) V(first##_sierra) V(first##_tango)
#define VARIANTS(V) \
	WORDS(V, alfa) WORDS(V, bravo) WORDS(V, charlie) WORDS(V, delta) \
	WORDS(V, echo) WORDS(V, foxtrot) WORDS(V, golf) WORDS(V, hotel) \
	WORDS(V, india) WORDS(V, juliett) WORDS(V, kilo) WORDS(V, lima) \
	WORDS(V, mike) WORDS(V, november) WORDS(V, oscar) WORDS(V, papa) \
	WORDS(V, quebec) WORDS(V, romeo) WORDS(V, sierra) WORDS(V, tango)
/* clang-format on */

#define VARIANT(name) \
	static __attribute__((noinline)) void name(end_fn *end) \
	{ \
		end(); \
		HERE; \
	}
#define NAME_OF_VARIANT(name) name,

VARIANTS(VARIANT)

static void (*const variants[])(end_fn *end) = { VARIANTS(NAME_OF_VARIANT) };

#define NR_VARIANTS (sizeof(variants) / sizeof(variants[0]))

#define KIND(name, stem) \
	static __attribute__((noinline)) void finding_##name(size_t variant, \
							     end_fn *end) \
	{ \
		variants[variant](end); \
		HERE; \
	}

FINDINGS(KIND)
KIND(another, "")

#define ROW(name, stem) { #name, stem, finding_##name },

static const struct kind {
	const char *name;
	const char *stem;
	void (*pass)(size_t variant, end_fn *end);
} kinds[] = { FINDINGS(ROW) ROW(another, "") };

/* ---- Sentences ---------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool all_digits(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_digit(s[i]))
			return false;
	return len > 0;
}

/* What stands for @word; NULL: it stands for itself, but for its digits. */
static const char *name_for(const char *word, size_t len)
{
	if (len == 1 && strchr("ABCDIJ", word[0]))
		return "task";
	if ((word[0] == 'l' || word[0] == 'p') && all_digits(word + 1, len - 1))
		return "page";
	return len > 2 && word[0] == '0' && word[1] == 'x' ? "#" : NULL;
}

struct text {
	char *at;
	size_t left; /* with the NUL */
};

static void put(struct text *text, char c)
{
	if (text->left < 2)
		return;
	*text->at++ = c;
	text->left--;
}

static void put_word(struct text *text, const char *word, size_t len)
{
	const char *name = name_for(word, len);

	for (; name && *name; name++)
		put(text, *name);
	for (size_t i = 0; !name && i < len; i++) {
		if (!is_digit(word[i]))
			put(text, word[i]);
		else if (i == 0 || !is_digit(word[i - 1]))
			put(text, '#');
	}
}

void finding_normalise(char *buf, size_t size, const char *sentence)
{
	struct text text = { buf, size };

	while (*sentence) {
		size_t len = 0;

		while (is_letter(sentence[len]) || is_digit(sentence[len]))
			len++;
		if (len == 0)
			put(&text, *sentence == '\n' ? ' ' : *sentence);
		else
			put_word(&text, sentence, len);
		sentence += len ? len : 1;
	}
	if (size > 0)
		*text.at = '\0';
}

/* ---- Kinds -------------------------------------------------------------------- */

/* The last one fits everything. */
static const struct kind *kind_of(const char *normal)
{
	const struct kind *kind = kinds;

	while (strncmp(normal, kind->stem, strlen(kind->stem)) != 0)
		kind++;
	return kind;
}

const char *finding_kind(const char *sentence)
{
	char normal[LONGEST];

	finding_normalise(normal, sizeof(normal), sentence);
	return kind_of(normal)->name;
}

void finding_print(int fd, const char *sentence)
{
	static const char begins[] = "assertion failed: ";
	char line[LONGEST];
	size_t len = sizeof(begins) - 1;

	memcpy(line, begins, len);
	finding_normalise(line + len, sizeof(line) - len - 1, sentence);
	len = strlen(line);
	line[len++] = '\n';
	write_whole(fd, line, len);
}

static size_t variant_of(const char *normal)
{
	uint32_t hash = 0x811c9dc5u; /* FNV-1a */

	while (*normal)
		hash = (hash ^ (uint8_t)*normal++) * 0x01000193u;
	return (hash ^ hash >> 16) % NR_VARIANTS;
}

void finding_end(const char *sentence, void (*end)(void))
{
	char normal[LONGEST];

	finding_normalise(normal, sizeof(normal), sentence);
	kind_of(normal)->pass(variant_of(normal), end);
}
