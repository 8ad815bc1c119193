/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "stress/explore/explain/explain.h"

/*
 * Failures one meets through an address: a translation that should be gone, a
 * slot or a window with two owners, a page in two slots, a count that is off.
 */

/* ---- Stale translations -------------------------------------------------------- */

struct stale {
	unsigned int cpu;
	unsigned int place;
	uint32_t page;	  /* as in CELL_TLB */
	uint32_t cleared; /* entry that took it out of the page table */
};

static bool find_stale(const struct record *record, struct stale *stale)
{
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		const struct cell *cell = &record->cells[c];
		int pte = cell_find(record, CELL_PTE, cell->a, 0);

		if (cell->kind != CELL_TLB || record->values[c] == 0 ||
		    is_offline(record, cell->b, record->nr_entries) ||
		    record->values[c] == record->values[pte])
			continue;
		*stale = (struct stale){
			.cpu = cell->b,
			.place = cell->a,
			.page = record->values[c],
		};
		stale->cleared = last_change(record, pte, record->nr_entries);
		while (stale->cleared != NONE &&
		       value_at(record, (unsigned int)pte, stale->cleared) != 0)
			stale->cleared = last_change(record, pte,
						     stale->cleared);
		return stale->cleared != NONE;
	}
	return false;
}

static bool is_flush(const struct entry *entry)
{
	return entry->kind == ENTRY_ACCESS &&
	       (entry->access == SIM_FLUSH_LOCAL ||
		entry->access == SIM_SHOOTDOWN);
}

/* A shootdown of several slots names the first; it may mean ours too. */
static bool flushes(const struct record *record, const struct entry *entry,
		    unsigned int place)
{
	char name[NAME_SIZE];

	place_name(record, place, name);
	return is_flush(entry) &&
	       (strcmp(entry->text, name) == 0 || strchr(entry->text, ' '));
}

/* The last flush of @place in [@from, @to), or NONE. */
static uint32_t find_flush(const struct record *record, unsigned int place,
			   uint32_t from, uint32_t to)
{
	for (uint32_t i = to; i-- > from;)
		if (flushes(record, &record->entries[i], place))
			return i;
	return NONE;
}

/* The first flush after @from by the same actor, of whatever, or NONE. */
static uint32_t find_other_flush(const struct record *record, uint32_t from)
{
	for (uint32_t i = from; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];

		if (entry->actor != record->entries[from].actor)
			continue;
		if (entry->kind == ENTRY_END)
			break;
		if (is_flush(entry))
			return i;
	}
	return NONE;
}

/* The first interrupt or switch in [@from, @to), or NONE. */
static uint32_t find_cut(const struct record *record, uint32_t from,
			 uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		if (record->entries[i].kind == ENTRY_ENTER ||
		    (record->entries[i].kind == ENTRY_SWITCH &&
		     strcmp(record->entries[i].text, "is preempted") == 0))
			return i;
	return NONE;
}

static void say_late_flush(const struct record *record,
			   const struct stale *stale, uint32_t late, char *buf)
{
	if (record->entries[late].access == SIM_FLUSH_LOCAL)
		text_append(buf, SENTENCE_SIZE,
			    "only CPU %u flushed it, at step %" PRIu32,
			    record->entries[late].cpu, step_of(record, late));
	else
		text_append(buf, SENTENCE_SIZE,
			    "the shootdown at step %" PRIu32
			    " did not reach CPU %u",
			    step_of(record, late), stale->cpu);
}

/* Nothing flushed it after the PTE was cleared. What came close? */
static void say_no_flush(const struct record *record, const struct stale *stale,
			 char *buf)
{
	uint32_t early = find_flush(record, stale->place,
				    begin_of(record, stale->cleared),
				    stale->cleared);
	uint32_t other = find_other_flush(record, stale->cleared);
	uint32_t cut = find_cut(record, stale->cleared + 1, record->nr_entries);

	if (early != NONE)
		text_append(buf, SENTENCE_SIZE,
			    "the flush had come before that, at step %" PRIu32
			    ", so CPU %u loaded it again",
			    step_of(record, early), stale->cpu);
	else if (other != NONE)
		text_append(buf, SENTENCE_SIZE,
			    "what was flushed, at step %" PRIu32 ", was %s",
			    step_of(record, other),
			    record->entries[other].text);
	else if (cut != NONE)
		text_append(buf, SENTENCE_SIZE,
			    "no flush had followed when %c came at step "
			    "%" PRIu32,
			    actor_letter(record->entries[cut].actor),
			    step_of(record, cut));
	else
		text_append(buf, SENTENCE_SIZE, "no flush followed");
}

static void say_missing_flush(const struct record *record,
			      const struct stale *stale, char *buf)
{
	uint32_t late = find_flush(record, stale->place, stale->cleared + 1,
				   record->nr_entries);
	uint32_t back = last_hotplug(record, stale->cpu, record->nr_entries);

	if (back != NONE && back > stale->cleared)
		text_append(buf, SENTENCE_SIZE,
			    "CPU %u was offline, and came online at step "
			    "%" PRIu32 " without a flush",
			    stale->cpu, step_of(record, back));
	else if (record->entries[stale->cleared].kind == ENTRY_LAST_FLUSH)
		text_append(buf, SENTENCE_SIZE,
			    "after that it did not flush CPU %u", stale->cpu);
	else if (record->entries[stale->cleared].kind == ENTRY_SWITCH)
		text_append(buf, SENTENCE_SIZE,
			    "the switch away from it did not flush");
	else if (late != NONE)
		say_late_flush(record, stale, late, buf);
	else
		say_no_flush(record, stale, buf);
}

static void say_new_owner(const struct record *record,
			  const struct stale *stale, char *buf)
{
	int pte = cell_find(record, CELL_PTE, stale->place, 0);
	uint32_t given = last_change(record, pte, record->nr_entries);
	char doer[NAME_SIZE];
	char page[NAME_SIZE];

	if (record->values[pte] == 0)
		return;
	cell_value(record, (unsigned int)pte, record->values[pte], page);
	text_append(buf, SENTENCE_SIZE, "; %s put %s there at step %" PRIu32,
		    doer_name(record, given, doer), page,
		    step_of(record, given));
}

bool explain_stale(const struct record *record, char *buf)
{
	struct stale stale;
	char place[NAME_SIZE];
	char page[NAME_SIZE];
	char doer[NAME_SIZE];
	int tlb;

	if (!find_stale(record, &stale))
		return false;
	tlb = cell_find(record, CELL_TLB, stale.place, stale.cpu);
	place_name(record, stale.place, place);
	cell_value(record, (unsigned int)tlb, stale.page, page);
	doer_name(record, stale.cleared, doer);
	text_append(buf, SENTENCE_SIZE,
		    "stale translation: CPU %u still finds %s in %s, whose "
		    "PTE %s cleared at step %" PRIu32 ": ",
		    stale.cpu, page, place, doer,
		    step_of(record, stale.cleared));
	say_missing_flush(record, &stale, buf);
	say_new_owner(record, &stale, buf);
	return true;
}

/* ---- Two owners ------------------------------------------------------------------ */

/* The newest PTE that was written over one that was present, or NONE. */
static uint32_t find_overwritten(const struct record *record)
{
	for (uint32_t i = record->nr_entries; i-- > 0;) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind == ENTRY_ACCESS &&
		    entry->access == SIM_PTE_SET && entry->before != 0)
			return i;
	}
	return NONE;
}

/* Whom the handler interrupted, and what that had done to its depth. */
static void say_interrupted(const struct record *record, uint32_t at, char *buf)
{
	const struct entry *entry = &record->entries[at];
	int depth = cell_find(record, CELL_DEPTH, entry->task, 0);
	uint32_t enter = at;
	uint32_t changed;
	char doer[NAME_SIZE];

	if (entry->actor == entry->task)
		return;
	while (enter > 0 && !(record->entries[enter].kind == ENTRY_ENTER &&
			      record->entries[enter].actor == entry->actor))
		enter--;
	for (uint32_t i = enter; i-- > 0;) {
		if (record->entries[i].actor != entry->task)
			continue;
		text_append(buf, SENTENCE_SIZE,
			    "; it had interrupted %s at step %" PRIu32,
			    doer_name(record, i, doer), step_of(record, enter));
		changed = last_change(record, depth, enter);
		if (changed != NONE && changed >= begin_of(record, i))
			text_append(buf, SENTENCE_SIZE,
				    ", whose depth was %" PRIu32
				    " since step %" PRIu32,
				    value_at(record, (unsigned int)depth,
					     changed),
				    step_of(record, changed));
		return;
	}
}

bool explain_dirty_window(const struct record *record, char *buf)
{
	uint32_t at = find_overwritten(record);
	const struct cell *cell;
	char doer[NAME_SIZE];
	char place[NAME_SIZE];
	char page[NAME_SIZE];

	if (at == NONE)
		return false;
	cell = &record->cells[record->entries[at].cell];
	place_name(record, cell->a, place);
	cell_value(record, (unsigned int)record->entries[at].cell,
		   (uint32_t)record->entries[at].before, page);
	text_append(
		buf, SENTENCE_SIZE,
		"dirty %s: %s took %s at step %" PRIu32
		" while its PTE still held %s",
		cell->a < record->program.machine.nr_slots ? "slot" : "window",
		doer_name(record, at, doer), place, step_of(record, at), page);
	say_interrupted(record, at, buf);
	return true;
}

/*
 * A page that has been given another slot while it had one; returns when it got
 * the first, and sets @second. NONE: there is no such page.
 */
static uint32_t find_second_slot(const struct record *record,
				 unsigned int index, uint32_t *second)
{
	int cell = cell_find(record, CELL_SLOT, index, 0);
	uint32_t first;

	*second = last_change(record, cell, record->nr_entries);
	if (*second == NONE ||
	    value_at(record, (unsigned int)cell, *second) == 0)
		return NONE;
	first = last_change(record, cell, *second);
	if (first != NONE && value_at(record, (unsigned int)cell, first) == 0)
		return NONE;
	return first;
}

bool explain_two_slots(const struct record *record, char *buf)
{
	unsigned int nr_pages = MACHINE_LOWMEM_PAGES +
				record->program.machine.nr_pages;
	uint32_t since[2] = { NONE, NONE };
	unsigned int index = 0;
	unsigned int cell;
	char doer[2][NAME_SIZE];
	char page[NAME_SIZE];

	for (; index < nr_pages && since[0] == NONE; index++)
		since[0] = find_second_slot(record, index, &since[1]);
	if (since[0] == NONE)
		return false;
	index--;
	cell = (unsigned int)cell_find(record, CELL_SLOT, index, 0);
	page_name(index, page);
	text_append(buf, SENTENCE_SIZE,
		    "two slots for one page: %s is in slot %" PRIu32
		    " since %s (step %" PRIu32 ") and in slot %" PRIu32
		    " since %s (step %" PRIu32
		    "): the later one did not see the earlier",
		    page, value_at(record, cell, since[0]) - 1,
		    doer_name(record, since[0], doer[0]),
		    step_of(record, since[0]),
		    value_at(record, cell, since[1]) - 1,
		    doer_name(record, since[1], doer[1]),
		    step_of(record, since[1]));
	return true;
}

/* The PTE through which @actor last read; -1: none. */
static int pte_last_read(const struct record *record, unsigned int actor)
{
	uint32_t read = last_access(record, actor, SIM_MEM_LOAD,
				    record->nr_entries);
	char place[NAME_SIZE];

	for (unsigned int p = 0; read != NONE && p < record->nr_places; p++) {
		const char *text = record->entries[read].text;

		place_name(record, p, place);
		if (strncmp(text, place, strlen(place)) == 0 &&
		    text[strlen(place)] == '+')
			return cell_find(record, CELL_PTE, p, 0);
	}
	return -1;
}

bool explain_stolen_slot(const struct record *record, char *buf)
{
	unsigned int value[4]; /* who, byte, the page's letter and number */
	char page[NAME_SIZE];
	char now[NAME_SIZE];
	char doer[NAME_SIZE];
	unsigned int index;
	uint32_t given;
	int pte;

	if (match(record->result.exec.sentence, "? reads * at *, byte # of ?#",
		  value) != 4)
		return false;
	pte = pte_last_read(record, actor_named((char)value[0]));
	index = page_index(value[2], value[3]);
	if (pte < 0 || record->values[pte] == index + 1)
		return false;
	given = last_change(record, pte, record->nr_entries);
	if (given == NONE)
		return false;
	page_name(index, page);
	cell_value(record, (unsigned int)pte, record->values[pte], now);
	text_append(buf, SENTENCE_SIZE,
		    "stolen slot: %c has %s mapped, but %s put %s in its place "
		    "at step %" PRIu32,
		    value[0], page, doer_name(record, given, doer), now,
		    step_of(record, given));
	return true;
}

/* ---- Counts ------------------------------------------------------------------------- */

/* The newest store to @cell before @limit that was held back, or NONE. */
static uint32_t find_held_back(const struct record *record, int cell,
			       uint32_t limit)
{
	for (uint32_t i = limit; i-- > 0;)
		if (record->entries[i].kind == ENTRY_ACCESS &&
		    record->entries[i].cell == cell && record->entries[i].held)
			return i;
	return NONE;
}

static void say_change(const struct record *record, int cell, uint32_t at,
		       char *buf)
{
	uint32_t held = find_held_back(record, cell, at);
	char doer[NAME_SIZE];

	if (record->entries[at].kind == ENTRY_DRAIN && held != NONE)
		text_append(buf, SENTENCE_SIZE,
			    "a plain store of %s at step %" PRIu32
			    ", held back,",
			    doer_name(record, held, doer),
			    step_of(record, held));
	else
		text_append(buf, SENTENCE_SIZE, "%s",
			    doer_name(record, at, doer));
	text_append(buf, SENTENCE_SIZE, " made it %" PRIu32 " at step %" PRIu32,
		    value_at(record, (unsigned int)cell, at),
		    step_of(record, at));
}

static void say_count_changes(const struct record *record, int cell, char *buf)
{
	uint32_t last = last_change(record, cell, record->nr_entries);
	uint32_t before;

	if (last == NONE)
		return;
	before = last_change(record, cell, last);
	text_append(buf, SENTENCE_SIZE, ": ");
	if (before != NONE) {
		say_change(record, cell, before, buf);
		text_append(buf, SENTENCE_SIZE, ", and ");
	}
	say_change(record, cell, last, buf);
}

/* What core/lib/pkmap_queue.h tells a waiter that may use another's slot. */
#define GRANT_SHARED 2

/* A waiter that was let in to share a slot after its count was last changed. */
static void say_uncounted(const struct record *record, int cell, char *buf)
{
	uint32_t last = last_change(record, cell, record->nr_entries);

	for (uint32_t i = last == NONE ? 0 : last; i < record->nr_entries;
	     i++) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind != ENTRY_ACCESS || entry->cell >= 0 ||
		    entry->access != SIM_STORE || entry->after != GRANT_SHARED)
			continue;
		text_append(buf, SENTENCE_SIZE,
			    "; %c was served at step %" PRIu32
			    " and not counted",
			    *entry->text, entry->step);
		return;
	}
}

/* A page in use that has lost its slot. */
static bool say_slot_taken(const struct record *record, unsigned int index,
			   char *buf)
{
	uint32_t taken = last_change(record,
				     cell_find(record, CELL_SLOT, index, 0),
				     record->nr_entries);
	char page[NAME_SIZE];
	char doer[NAME_SIZE];

	if (taken == NONE)
		return false;
	page_name(index, page);
	text_append(buf, SENTENCE_SIZE,
		    "stolen slot: %s is in use, but %s took its slot away at "
		    "step %" PRIu32,
		    page, doer_name(record, taken, doer),
		    step_of(record, taken));
	return true;
}

bool explain_count(const struct record *record, char *buf)
{
	unsigned int value[4] = { 0 }; /* the page as above, count, users */
	unsigned int index;
	char page[NAME_SIZE];
	int cell;

	if (match(record->result.exec.sentence, "?# has count # and #", value) <
	    3)
		return false;
	index = page_index(value[0], value[1]);
	if (final_value(record, CELL_SLOT, index, 0) == 0)
		return say_slot_taken(record, index, buf);
	cell = cell_find(record, CELL_COUNT, index, 0);
	page_name(index, page);
	text_append(buf, SENTENCE_SIZE, "wrong count: %s has count %u, but ",
		    page, value[2]);
	if (value[3] == 0)
		text_append(buf, SENTENCE_SIZE, "no user");
	else
		text_append(buf, SENTENCE_SIZE, "%u user%s", value[3],
			    value[3] == 1 ? "" : "s");
	say_count_changes(record, cell, buf);
	say_uncounted(record, cell, buf);
	return true;
}
