/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/ports/sim/sim.h"
#include "stress/explore/trace/trace.h"

static void out_of_memory(void)
{
	fputs("explore: out of memory for a trace\n", stderr);
	exit(EXIT_FAILURE);
}

void *trace_room(size_t nr, size_t size)
{
	void *room = calloc(nr, size);

	if (!room)
		out_of_memory();
	return room;
}

void *trace_grow(void *old, uint32_t *nr, size_t size)
{
	void *grown;

	*nr = *nr ? 2 * *nr : 256;
	grown = realloc(old, *nr * size);
	if (!grown)
		out_of_memory();
	return grown;
}

void text_append(char *buf, size_t size, const char *format, ...)
{
	size_t len = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + len, size - len, format, args);
	va_end(args);
}

unsigned int actor_named(char letter)
{
	unsigned int actor = 0;

	while (actor < PROGRAM_MAX_ACTORS - 1 && actor_letter(actor) != letter)
		actor++;
	return actor;
}

void page_name(unsigned int index, char *buf)
{
	if (index < MACHINE_LOWMEM_PAGES)
		snprintf(buf, NAME_SIZE, "l%u", index);
	else
		snprintf(buf, NAME_SIZE, "p%u", index - MACHINE_LOWMEM_PAGES);
}

unsigned int page_index(unsigned int letter, unsigned int number)
{
	return letter == 'l' ? number : number + MACHINE_LOWMEM_PAGES;
}

void place_name(const struct record *record, unsigned int place, char *buf)
{
	const struct machine_config *machine = &record->program.machine;
	unsigned int window = place - machine->nr_slots;

	if (place < machine->nr_slots)
		snprintf(buf, NAME_SIZE, "slot%u", place);
	else
		snprintf(buf, NAME_SIZE, "window%u@cpu%u",
			 window % machine->local_depth,
			 window / machine->local_depth);
}

static void lock_name(unsigned int lock, char *buf)
{
	if (lock == 0)
		snprintf(buf, NAME_SIZE, "pkmap.lock");
	else
		snprintf(buf, NAME_SIZE, "queue%u.lock", lock - 1);
}

void cell_name(const struct record *record, unsigned int which, char *buf)
{
	const struct cell *cell = &record->cells[which];
	char name[NAME_SIZE] = "";

	if (cell->kind == CELL_PTE || cell->kind == CELL_TLB)
		place_name(record, cell->a, name);
	else if (cell->kind == CELL_SLOT || cell->kind == CELL_COUNT)
		page_name(cell->a, name);
	switch ((enum cell_kind)cell->kind) {
	case CELL_COUNT:
		snprintf(buf, NAME_SIZE, "%.24s.count", name);
		break;
	case CELL_OWNER:
		snprintf(buf, NAME_SIZE, "slot%u.page", cell->a);
		break;
	case CELL_FREE:
		snprintf(buf, NAME_SIZE, "slot%u.free", cell->a);
		break;
	case CELL_PTE:
		snprintf(buf, NAME_SIZE, "pte %.24s", name);
		break;
	case CELL_TLB:
		snprintf(buf, NAME_SIZE, "cpu%u tlb %.24s", cell->b, name);
		break;
	case CELL_SLOT:
		snprintf(buf, NAME_SIZE, "%.24s.slot", name);
		break;
	case CELL_QUEUE:
		snprintf(buf, NAME_SIZE, "queue%u.nr", cell->a);
		break;
	case CELL_LOCK:
		lock_name(cell->a, buf);
		break;
	case CELL_DEPTH:
		snprintf(buf, NAME_SIZE, "%c.depth", actor_letter(cell->a));
		break;
	case CELL_TASK:
		snprintf(buf, NAME_SIZE, "task %c", actor_letter(cell->a));
		break;
	case CELL_STORES:
		snprintf(buf, NAME_SIZE, "cpu%u stores", cell->a);
		break;
	}
}

static const char *task_state_name(uint32_t state)
{
	static const char *const names[] = {
		[SIM_TASK_READY] = "ready",	  [SIM_TASK_PARKED] = "asleep",
		[SIM_TASK_SPINNING] = "spins",	  [SIM_TASK_STUCK] = "stuck",
		[SIM_TASK_FLUSHING] = "flushing", [SIM_TASK_DONE] = "done",
	};

	return state <= SIM_TASK_DONE ? names[state] : "?";
}

void cell_value(const struct record *record, unsigned int which, uint32_t value,
		char *buf)
{
	switch ((enum cell_kind)record->cells[which].kind) {
	case CELL_OWNER:
	case CELL_PTE:
	case CELL_TLB:
		if (value == 0)
			snprintf(buf, NAME_SIZE, "none");
		else if (value > record->program.machine.nr_pages +
					 MACHINE_LOWMEM_PAGES)
			snprintf(buf, NAME_SIZE, "no page of ours");
		else
			page_name(value - 1, buf);
		break;
	case CELL_SLOT:
		if (value == 0)
			snprintf(buf, NAME_SIZE, "none");
		else
			snprintf(buf, NAME_SIZE, "slot%" PRIu32, value - 1);
		break;
	case CELL_FREE:
		snprintf(buf, NAME_SIZE, "%s", value ? "yes" : "no");
		break;
	case CELL_LOCK:
		if (value == 0)
			snprintf(buf, NAME_SIZE, "free");
		else
			snprintf(buf, NAME_SIZE, "%c", actor_letter(value - 1));
		break;
	case CELL_TASK:
		snprintf(buf, NAME_SIZE, "%s", task_state_name(value));
		break;
	default:
		snprintf(buf, NAME_SIZE, "%" PRIu32, value);
		break;
	}
}

int cell_find(const struct record *record, enum cell_kind kind, unsigned int a,
	      unsigned int b)
{
	for (unsigned int c = 0; c < record->nr_cells; c++)
		if (record->cells[c].kind == kind && record->cells[c].a == a &&
		    record->cells[c].b == b)
			return (int)c;
	return -1;
}

uint32_t cell_of_word(enum cell_kind kind, uint32_t word)
{
	if (kind == CELL_COUNT)
		return pkmap_word_count(word);
	if (kind == CELL_SLOT)
		return word >> PKMAP_COUNT_BITS;
	return word;
}

/* ---- Accesses in words ------------------------------------------------------------ */

static void value_words(const struct record *record, const struct entry *entry,
			uint64_t value, char *buf)
{
	if (entry->cell >= 0)
		cell_value(record, (unsigned int)entry->cell, (uint32_t)value,
			   buf);
	else
		snprintf(buf, NAME_SIZE, "%" PRIx64, value);
}

/* Loads, stores and the like of a word: what it was and what it is. */
static void word_words(const struct record *record, const struct entry *entry,
		       char *buf, size_t size)
{
	char before[NAME_SIZE];
	char after[NAME_SIZE];

	value_words(record, entry, entry->before, before);
	value_words(record, entry, entry->after, after);
	if (entry->access == SIM_LOAD)
		snprintf(buf, size, "reads %s = %s", entry->text, after);
	else if (entry->before == entry->after && entry->access == SIM_CAS)
		snprintf(buf, size, "cas %s fails, it is %s", entry->text,
			 before);
	else
		snprintf(buf, size, "%s %s->%s%s", entry->text, before, after,
			 entry->held ? " (held back)" : "");
}

static void lock_words(const struct entry *entry, char *buf, size_t size)
{
	bool take = entry->access == SIM_LOCK;

	snprintf(buf, size, "%s %s%s", take ? "lock" : "unlock", entry->text,
		 entry->held ? " (held back)" : "");
}

static bool is_lock(const struct record *record, const struct entry *entry)
{
	return entry->cell >= 0 && record->cells[entry->cell].kind == CELL_LOCK;
}

static void access_words(const struct record *record, const struct entry *entry,
			 char *buf, size_t size)
{
	switch ((enum sim_access)entry->access) {
	case SIM_LOAD:
	case SIM_STORE:
	case SIM_CAS:
	case SIM_ADD:
	case SIM_EXCHANGE:
	case SIM_PTE_SET:
	case SIM_PTE_CLEAR:
		if (is_lock(record, entry) && entry->access != SIM_LOAD)
			lock_words(entry, buf, size);
		else
			word_words(record, entry, buf, size);
		break;
	case SIM_LOCK:
	case SIM_UNLOCK:
		lock_words(entry, buf, size);
		break;
	case SIM_FENCE:
		snprintf(buf, size, "fence");
		break;
	case SIM_FLUSH_LOCAL:
		snprintf(buf, size, "flush %s on cpu%u", entry->text,
			 entry->cpu);
		break;
	case SIM_SHOOTDOWN:
		snprintf(buf, size, "shootdown %s", entry->text);
		break;
	case SIM_PARK:
		snprintf(buf, size, "sleeps");
		break;
	case SIM_UNPARK:
		snprintf(buf, size, "wakes %c", actor_letter(entry->other));
		break;
	default:
		snprintf(buf, size, "%s %s: %" PRIx64,
			 sim_access_name((enum sim_access)entry->access),
			 entry->text, entry->after);
		break;
	}
}

/* Which stores that were held back reach memory now. */
static void drain_words(const struct record *record, const struct entry *entry,
			char *buf, size_t size)
{
	const char *comma = "held-back store: ";
	char name[NAME_SIZE];
	char value[NAME_SIZE];

	*buf = '\0';
	for (uint32_t i = 0; i < entry->nr_changes; i++) {
		const struct change *change =
			&record->changes[entry->first_change + i];

		if (record->cells[change->cell].kind == CELL_STORES)
			continue;
		cell_name(record, change->cell, name);
		cell_value(record, change->cell, change->after, value);
		text_append(buf, size, "%s%s = %s", comma, name, value);
		comma = ", ";
	}
}

const char *chance_words(enum choice_kind kind)
{
	static const char *const words[CHOICE_NR_KINDS] = {
		[CHOICE_MIGRATE] = "goes on on cpu%u",
		[CHOICE_DROP] = "cpu%u's TLB forgets all",
		[CHOICE_OFFLINE] = "cpu%u goes offline",
		[CHOICE_ONLINE] = "cpu%u comes online",
		[CHOICE_CANCEL] = "a signal comes for %c",
	};

	return words[kind];
}

static void say_chance(const struct entry *entry, char *buf, size_t size)
{
	unsigned int arg = entry->other;

	if (entry->chance == CHOICE_CANCEL)
		arg = (unsigned char)actor_letter(arg);
	hm_format(buf, size, chance_words(entry->chance), arg);
}

void entry_words(const struct record *record, const struct entry *entry,
		 char *buf, size_t size)
{
	char letter = actor_letter(entry->actor);

	switch ((enum entry_kind)entry->kind) {
	case ENTRY_BEGIN:
		snprintf(buf, size, "%s", entry->text);
		break;
	case ENTRY_END:
		snprintf(buf, size, "%s: %s", entry->text, entry->outcome);
		break;
	case ENTRY_ENTER:
		snprintf(buf, size, "interrupt %c", letter);
		break;
	case ENTRY_LEAVE:
		snprintf(buf, size, "interrupt %c returns", letter);
		break;
	case ENTRY_SWITCH:
		snprintf(buf, size, "%s", entry->text);
		break;
	case ENTRY_WAKE:
		snprintf(buf, size, "%c is woken by %s",
			 actor_letter(entry->other), entry->text);
		break;
	case ENTRY_CHANCE:
		say_chance(entry, buf, size);
		break;
	case ENTRY_DRAIN:
		drain_words(record, entry, buf, size);
		break;
	case ENTRY_ACCESS:
		access_words(record, entry, buf, size);
		break;
	case ENTRY_CALM:
		snprintf(buf, size, "calm: no more choices, all in turn");
		break;
	case ENTRY_LAST_FLUSH:
		snprintf(buf, size, "all have ended; a last flush");
		break;
	case ENTRY_STALL:
		if (*entry->text)
			snprintf(buf, size, "%s, for good", entry->text);
		else
			snprintf(buf, size, "nobody can go on");
		break;
	case ENTRY_VERDICT:
		snprintf(buf, size, "%s", entry->text);
		break;
	}
}

uint32_t last_hotplug(const struct record *record, unsigned int cpu,
		      uint32_t limit)
{
	for (uint32_t i = limit; i-- > 0;) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind == ENTRY_CHANCE && entry->other == cpu &&
		    (entry->chance == CHOICE_OFFLINE ||
		     entry->chance == CHOICE_ONLINE))
			return i;
	}
	return NONE;
}

bool is_offline(const struct record *record, unsigned int cpu, uint32_t limit)
{
	uint32_t at = last_hotplug(record, cpu, limit);

	return at != NONE && record->entries[at].chance == CHOICE_OFFLINE;
}
