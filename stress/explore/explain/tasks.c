/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "core/ports/sim/sim.h"
#include "stress/explore/explain/explain.h"

/* Failures of tasks that wait: for a slot, for a wake-up, for a lock. */

/* ---- Lost wake-ups --------------------------------------------------------------- */

struct sleeper {
	unsigned int task;
	unsigned int colour;
	uint32_t slept; /* entry */
	uint32_t queued;
};

/* "lost wake-up: task B sleeps on colour 0 while ..." */
static bool find_sleeper(const struct record *record, struct sleeper *sleeper)
{
	unsigned int value[2];
	int nr;

	if (match(record->result.exec.sentence,
		  "lost wake-up: task ? sleeps on colour #", value) != 2)
		return false;
	sleeper->task = value[0] - 'A';
	sleeper->colour = value[1];
	sleeper->slept = last_access(record, sleeper->task, SIM_PARK,
				     record->nr_entries);
	nr = cell_find(record, CELL_QUEUE, sleeper->colour, 0);
	sleeper->queued = NONE;
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind == ENTRY_ACCESS && entry->cell == nr &&
		    entry->actor == sleeper->task &&
		    entry->after > entry->before)
			sleeper->queued = i;
	}
	return sleeper->slept != NONE;
}

/* The cell with the count of the page in @slot; -1: it has no page. */
static int count_in_slot(const struct record *record, unsigned int slot)
{
	uint32_t page = final_value(record, CELL_OWNER, slot, 0);

	if (page == 0 ||
	    final_value(record, CELL_SLOT, page - 1, 0) != slot + 1)
		return -1;
	return cell_find(record, CELL_COUNT, page - 1, 0);
}

static bool is_idle(const struct record *record, unsigned int slot)
{
	int count = count_in_slot(record, slot);

	return count >= 0 && record->values[count] == 1;
}

static int slot_to_be_had(const struct record *record, unsigned int colour)
{
	const struct machine_config *machine = &record->program.machine;

	for (unsigned int s = colour; s < machine->nr_slots;
	     s += machine->nr_colours)
		if (final_value(record, CELL_FREE, s, 0) != 0 ||
		    is_idle(record, s))
			return (int)s;
	return -1;
}

/* The entry by which the slot became to be had. */
static uint32_t became_free(const struct record *record, unsigned int slot)
{
	int free = cell_find(record, CELL_FREE, slot, 0);
	int count = count_in_slot(record, slot);

	if (record->values[free] != 0)
		return last_change(record, free, record->nr_entries);
	return last_change(record, count, record->nr_entries);
}

/* The entry in [@from, @to) where @actor reads @cell; NONE if it does not. */
static uint32_t find_look(const struct record *record, unsigned int actor,
			  int cell, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind == ENTRY_ACCESS && entry->actor == actor &&
		    entry->cell == cell && entry->access == SIM_LOAD)
			return i;
	}
	return NONE;
}

/* What the one who freed it saw of the queue, if it looked. */
static void say_looked_for_waiters(const struct record *record,
				   const struct sleeper *sleeper,
				   uint32_t freed, char *buf)
{
	int nr = cell_find(record, CELL_QUEUE, sleeper->colour, 0);
	unsigned int actor = record->entries[freed].actor;
	uint32_t slept = last_access(record, actor, SIM_PARK, freed);
	uint32_t begin = begin_of(record, freed);
	uint32_t before = find_look(
		record, actor, nr,
		slept != NONE && slept > begin ? slept : begin, freed);
	uint32_t after = find_look(record, actor, nr, freed + 1,
				   record->nr_entries);
	uint32_t at = after != NONE ? after : before;

	if (at == NONE) {
		text_append(buf, SENTENCE_SIZE,
			    " and did not look for waiters");
		return;
	}
	text_append(buf, SENTENCE_SIZE,
		    "%s saw %s in the queue at step %" PRIu32,
		    after != NONE ? " and" : ", but before that it",
		    record->entries[at].after == 0 ? "nobody" : "somebody",
		    step_of(record, at));
	if (sleeper->queued != NONE && sleeper->queued < at &&
	    record->entries[sleeper->queued].held &&
	    record->entries[at].after == 0)
		text_append(buf, SENTENCE_SIZE,
			    ", because %c's entry there, of step %" PRIu32
			    ", was still held back",
			    actor_letter(sleeper->task),
			    step_of(record, sleeper->queued));
}

/* When the sleeper last looked at the slot, if that was too early. */
static void say_looked_for_slot(const struct record *record,
				const struct sleeper *sleeper,
				unsigned int slot, uint32_t freed, char *buf)
{
	int count = count_in_slot(record, slot);
	uint32_t looked = NONE;

	for (uint32_t i = 0; i < sleeper->slept; i++) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind == ENTRY_ACCESS && count >= 0 &&
		    entry->cell == count && entry->actor == sleeper->task)
			looked = i;
	}
	if (looked < freed && freed < sleeper->slept)
		text_append(buf, SENTENCE_SIZE,
			    "; %c had looked at it before, at step %" PRIu32
			    ", and did not look again",
			    actor_letter(sleeper->task),
			    step_of(record, looked));
}

static void say_page_is_mapped(const struct record *record,
			       const struct sleeper *sleeper, char *buf)
{
	int index = page_of_op(record, sleeper->task);
	uint32_t mapped;
	char page[NAME_SIZE];
	char doer[NAME_SIZE];

	if (index < 0)
		return;
	mapped = last_change(
		record, cell_find(record, CELL_SLOT, (unsigned int)index, 0),
		record->nr_entries);
	page_name((unsigned int)index, page);
	text_append(buf, SENTENCE_SIZE, " while its page %s is mapped", page);
	if (mapped != NONE)
		text_append(buf, SENTENCE_SIZE,
			    ": %s mapped it at step %" PRIu32
			    " and did not serve %c",
			    doer_name(record, mapped, doer),
			    step_of(record, mapped),
			    actor_letter(sleeper->task));
}

bool explain_lost_wakeup(const struct record *record, char *buf)
{
	struct sleeper sleeper;
	uint32_t freed;
	char doer[NAME_SIZE];
	int slot;

	if (!find_sleeper(record, &sleeper))
		return false;
	slot = slot_to_be_had(record, sleeper.colour);
	text_append(buf, SENTENCE_SIZE,
		    "lost wake-up: %c sleeps on colour %u since step %" PRIu32,
		    actor_letter(sleeper.task), sleeper.colour,
		    step_of(record, sleeper.slept));
	if (slot < 0) {
		say_page_is_mapped(record, &sleeper, buf);
		return true;
	}
	text_append(buf, SENTENCE_SIZE, " while slot %d is to be had", slot);
	freed = became_free(record, (unsigned int)slot);
	if (freed == NONE)
		return true;
	text_append(buf, SENTENCE_SIZE, ": %s let go of it at step %" PRIu32,
		    doer_name(record, freed, doer), step_of(record, freed));
	say_looked_for_waiters(record, &sleeper, freed, buf);
	say_looked_for_slot(record, &sleeper, (unsigned int)slot, freed, buf);
	return true;
}

/* Served, but asleep: whoever gave the slot did not wake, or too early. */
bool explain_lost_grant(const struct record *record, char *buf)
{
	unsigned int letter;
	char name[NAME_SIZE];
	char doer[NAME_SIZE];
	uint32_t granted = NONE;
	uint32_t woken = NONE;

	if (match(record->result.exec.sentence, "task ? neither runs",
		  &letter) != 1)
		return false;
	snprintf(name, sizeof(name), "%c's granted", letter);
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind != ENTRY_ACCESS)
			continue;
		if (entry->access == SIM_STORE &&
		    strcmp(entry->text, name) == 0 && entry->after != 0)
			granted = i;
		if (entry->access == SIM_UNPARK &&
		    actor_letter(entry->other) == (char)letter)
			woken = i;
	}
	if (granted == NONE)
		return false;
	text_append(buf, SENTENCE_SIZE,
		    "lost wake-up: %s served %c at step %" PRIu32
		    ", and %c sleeps on: ",
		    doer_name(record, granted, doer), letter,
		    step_of(record, granted), letter);
	if (woken == NONE)
		text_append(buf, SENTENCE_SIZE, "nobody woke it");
	else
		text_append(buf, SENTENCE_SIZE,
			    "its last wake-up was at step %" PRIu32,
			    step_of(record, woken));
	return true;
}

/* ---- The program's own deadlock --------------------------------------------------- */

/* What an operation that went well did to the maps of its page. */
static int maps_made(const char *op)
{
	static const char *const makers[] = { "kmap ", "try ", "timeout ",
					      "get ", "killable " };

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (strncmp(op, makers[i], strlen(makers[i])) == 0)
			return 1;
	return strncmp(op, "kunmap ", 7) == 0 ? -1 : 0;
}

/* How many maps of each highmem page @actor has made and not undone. */
static void count_held(const struct record *record, unsigned int actor,
		       int *held)
{
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];
		unsigned int page;

		if (entry->kind == ENTRY_END && entry->actor == actor &&
		    strcmp(entry->outcome, "ok") == 0 &&
		    match(entry->text, "* p#", &page) == 1 &&
		    page < PROGRAM_MAX_HIGHMEM)
			held[page] += maps_made(entry->text);
	}
}

static void say_holder(const struct record *record, unsigned int task,
		       const char *lead, char *buf)
{
	int held[PROGRAM_MAX_HIGHMEM] = { 0 };
	int waits_for = page_of_op(record, task);
	const char *comma = " holds ";
	char page[NAME_SIZE] = "?";

	count_held(record, task, held);
	text_append(buf, SENTENCE_SIZE, "%s%c", lead, actor_letter(task));
	for (unsigned int p = 0; p < PROGRAM_MAX_HIGHMEM; p++) {
		if (held[p] == 0)
			continue;
		text_append(buf, SENTENCE_SIZE, "%sp%u", comma, p);
		comma = ", ";
	}
	if (waits_for >= 0)
		page_name((unsigned int)waits_for, page);
	text_append(buf, SENTENCE_SIZE, "%s waits for %s",
		    *comma == ',' ? " and" : "", page);
}

bool explain_deadlock(const struct record *record, char *buf)
{
	const char *lead = "deadlock of the program: ";

	if (record->result.exec.verdict != EXEC_DEADLOCK)
		return false;
	for (unsigned int t = 0; t < record->program.nr_tasks; t++) {
		if (!is_asleep(record, t))
			continue;
		say_holder(record, t, lead, buf);
		lead = ", ";
	}
	text_append(buf, SENTENCE_SIZE, ", and no slot is left");
	return true;
}

/* ---- Locks -------------------------------------------------------------------------- */

/* The lock that the task spins on for good, as a cell; -1: it does not. */
static int spins_on(const struct record *record, uint32_t *at,
		    unsigned int task)
{
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];
		char name[NAME_SIZE];

		if (entry->kind != ENTRY_STALL || entry->task != task ||
		    strncmp(entry->text, "spins on ", 9) != 0)
			continue;
		*at = i;
		for (unsigned int c = 0; c < record->nr_cells; c++) {
			cell_name(record, c, name);
			if (strcmp(name, entry->text + 9) == 0)
				return (int)c;
		}
	}
	return -1;
}

static bool say_spin(const struct record *record, unsigned int task,
		     bool own_fault, char *buf)
{
	uint32_t stall = 0;
	int lock = spins_on(record, &stall, task);
	uint32_t taken;
	unsigned int holder;
	char doer[2][NAME_SIZE];
	char name[NAME_SIZE];

	if (lock < 0 || record->values[lock] == 0)
		return false;
	taken = last_change(record, lock, record->nr_entries);
	holder = record->entries[taken].task;
	if (own_fault != (holder == task))
		return false;
	cell_name(record, (unsigned int)lock, name);
	text_append(buf, SENTENCE_SIZE,
		    "deadlock on %s: %s spins on it since step %" PRIu32
		    ", and %s, which took it at step %" PRIu32 ", ",
		    name, doer_name(record, stall, doer[0]),
		    step_of(record, stall), doer_name(record, taken, doer[1]),
		    step_of(record, taken));
	if (own_fault &&
	    record->entries[stall].actor != record->entries[taken].actor)
		text_append(buf, SENTENCE_SIZE,
			    "is what it interrupted and cannot go on");
	else if (own_fault)
		text_append(buf, SENTENCE_SIZE, "is itself");
	else
		text_append(buf, SENTENCE_SIZE, "never lets go");
	return true;
}

bool explain_spin(const struct record *record, char *buf)
{
	for (unsigned int t = 0; t < record->program.nr_tasks; t++)
		if (say_spin(record, t, true, buf))
			return true;
	for (unsigned int t = 0; t < record->program.nr_tasks; t++)
		if (say_spin(record, t, false, buf))
			return true;
	return false;
}

/* The lock that @actor holds after entry @at, as a cell; -1: none. */
static int held_lock(const struct record *record, unsigned int actor,
		     uint32_t at)
{
	for (unsigned int c = 0; c < record->nr_cells; c++)
		if (record->cells[c].kind == CELL_LOCK &&
		    value_at(record, c, at) == actor + 1)
			return (int)c;
	return -1;
}

bool explain_sleep(const struct record *record, char *buf)
{
	const char *sentence = record->result.exec.sentence;
	char name[NAME_SIZE];
	char doer[NAME_SIZE];

	if (strcmp(sentence, "sim: sleeping in atomic context") != 0)
		return false;
	for (uint32_t i = record->nr_entries; i-- > 0;) {
		const struct entry *entry = &record->entries[i];
		int lock = held_lock(record, entry->actor, i);
		uint32_t taken;

		if (entry->kind != ENTRY_ACCESS || entry->access != SIM_PARK ||
		    lock < 0)
			continue;
		taken = last_change(record, lock, i);
		cell_name(record, (unsigned int)lock, name);
		text_append(buf, SENTENCE_SIZE,
			    "sleep with a lock held: %s sleeps at step "
			    "%" PRIu32 " and has had %s since step %" PRIu32,
			    doer_name(record, i, doer), entry->step, name,
			    step_of(record, taken));
		return true;
	}
	return false;
}

bool explain_lock_left(const struct record *record, char *buf)
{
	char name[NAME_SIZE];
	char doer[NAME_SIZE];

	if (!strstr(record->result.exec.sentence, "port_spin_is_locked"))
		return false;
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		uint32_t taken = last_change(record, (int)c,
					     record->nr_entries);

		if (record->cells[c].kind != CELL_LOCK ||
		    record->values[c] == 0)
			continue;
		cell_name(record, c, name);
		text_append(buf, SENTENCE_SIZE,
			    "lock left behind: %s took %s at step %" PRIu32
			    " and returned without letting go",
			    doer_name(record, taken, doer), name,
			    step_of(record, taken));
		return true;
	}
	return false;
}

/* ---- The rest -------------------------------------------------------------------------- */

bool explain_too_long(const struct record *record, char *buf)
{
	const char *lead = ": ";
	char doer[NAME_SIZE];

	if (strncmp(record->result.exec.sentence, "liveness: ", 10) != 0)
		return false;
	text_append(buf, SENTENCE_SIZE,
		    "livelock: no end after %" PRIu32
		    " steps, without faults and in turns since step %" PRIu32,
		    record->result.steps, record->result.calm_since);
	for (unsigned int t = 0; t < record->program.nr_tasks; t++) {
		uint32_t last = record->nr_entries - 1;

		while (last > 0 && record->entries[last].task != t)
			last--;
		if (final_value(record, CELL_TASK, t, 0) == SIM_TASK_DONE)
			continue;
		text_append(buf, SENTENCE_SIZE, "%s%s", lead,
			    doer_name(record, last, doer));
		lead = " and ";
	}
	text_append(buf, SENTENCE_SIZE, " do not get anywhere");
	return true;
}

bool explain_misuse(const struct record *record, char *buf)
{
	const char *what = record->result.exec.sentence;
	char doer[NAME_SIZE];

	if (strncmp(what, "misuse not reported: ", 21) != 0)
		return false;
	for (uint32_t i = record->nr_entries; i-- > 0;) {
		if (record->entries[i].kind != ENTRY_END ||
		    strcmp(record->entries[i].outcome, "FAILED") != 0)
			continue;
		text_append(buf, SENTENCE_SIZE,
			    "misuse not reported: %s at step %" PRIu32
			    " is a %s, and the core says nothing",
			    doer_name(record, i, doer), record->entries[i].step,
			    what + 21);
		return true;
	}
	return false;
}
