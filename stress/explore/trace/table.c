/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stress/explore/trace/trace.h"

/*
 * A column for each task, a row for what matters. An operation that ran from
 * its begin to its end with nobody in between is one row; of one that was cut,
 * each change is a row, and each look at something that others change in its
 * time.
 */

#define TEXT_SIZE 160
#define MIN_WIDTH 10
#define MAX_WIDTH 44

struct row {
	uint32_t step;
	unsigned int column; /* task */
	char text[TEXT_SIZE];
	char where[SOURCE_SIZE];
	char locks[64];
	char tlbs[96];
};

static struct table {
	const struct record *record;
	uint32_t *values; /* of the cells, as of the entry we are at */
	bool *moved;	  /* places whose PTE or TLB entries changed */
	struct row *rows;
	uint32_t nr_rows;
	unsigned int spins; /* rows of a livelock; more are like these */
} table;
#define MOST_SPINS 40

/* ---- What is worth a row --------------------------------------------------------- */

static const struct entry *entry_at(uint32_t i)
{
	return &table.record->entries[i];
}

/* The END of the operation that begins at @begin; 0 if it has none. */
static uint32_t end_of(uint32_t begin)
{
	for (uint32_t i = begin; i < table.record->nr_entries; i++)
		if (entry_at(i)->kind == ENTRY_END &&
		    entry_at(i)->actor == entry_at(begin)->actor)
			return i;
	return 0;
}

/* Nobody came in between, and it went well. */
static bool is_whole(uint32_t begin, uint32_t end)
{
	if (end == 0 || strcmp(entry_at(end)->outcome, "FAILED") == 0)
		return false;
	for (uint32_t i = begin + 1; i < end; i++)
		if (entry_at(i)->kind != ENTRY_ACCESS ||
		    entry_at(i)->actor != entry_at(begin)->actor ||
		    entry_at(i)->held)
			return false;
	return true;
}

static bool writes(const struct entry *entry)
{
	return entry->kind == ENTRY_ACCESS && entry->before != entry->after;
}

static bool is_access(const struct entry *entry, const struct entry *like)
{
	return entry->kind == ENTRY_ACCESS && entry->cell == like->cell;
}

static bool changes(const struct entry *entry, unsigned int cell)
{
	for (uint32_t i = 0; i < entry->nr_changes; i++)
		if (table.record->changes[entry->first_change + i].cell == cell)
			return true;
	return false;
}

/* Another CPU has stored to that word, and holds the store back. */
static bool is_outdated(uint32_t at)
{
	const struct entry *entry = entry_at(at);

	for (uint32_t i = at; i-- > 0;) {
		const struct entry *other = entry_at(i);

		if (changes(other, (unsigned int)entry->cell))
			return false;
		if (is_access(other, entry) && other->held)
			return other->cpu != entry->cpu;
	}
	return false;
}

/*
 * What was seen here turns wrong while the actor relies on it: another writes
 * the word before the actor looks again, goes to sleep or is done.
 */
static bool is_contested(uint32_t at)
{
	const struct entry *entry = entry_at(at);

	if (entry->cell < 0)
		return false;
	for (uint32_t i = at + 1; i < table.record->nr_entries; i++) {
		const struct entry *next = entry_at(i);

		if (next->actor != entry->actor) {
			if (is_access(next, entry) && writes(next))
				return true;
			continue;
		}
		if (next->kind == ENTRY_END || is_access(next, entry) ||
		    (next->kind == ENTRY_ACCESS && next->access == SIM_PARK))
			break;
	}
	return is_outdated(at);
}

static enum cell_kind kind_of(unsigned int cell)
{
	return table.record->cells[cell].kind;
}

/* Locks have a column of their own; whose a slot is, its PTE tells. */
static bool is_word_worth_it(uint32_t at)
{
	const struct entry *entry = entry_at(at);
	enum cell_kind kind = CELL_COUNT;

	if (entry->cell >= 0)
		kind = kind_of((unsigned int)entry->cell);
	if (kind == CELL_LOCK)
		return false;
	if (is_contested(at))
		return true;
	if (kind == CELL_OWNER || kind == CELL_SLOT)
		return writes(entry) && entry->before && entry->after;
	return writes(entry);
}

/* Some of what goes on for ever is enough. */
static bool is_repetition(void)
{
	const char *sentence = table.record->result.exec.sentence;

	if (table.spins == 0 || strncmp(sentence, "liveness: ", 10) != 0)
		return false;
	return ++table.spins > MOST_SPINS;
}

static bool is_access_worth_it(uint32_t at)
{
	switch ((enum sim_access)entry_at(at)->access) {
	case SIM_LOAD:
	case SIM_STORE:
	case SIM_CAS:
	case SIM_ADD:
	case SIM_EXCHANGE:
		return is_word_worth_it(at);
	case SIM_LOCK:
	case SIM_UNLOCK:
	case SIM_FENCE:
	case SIM_MEM_LOAD:
	case SIM_MEM_STORE:
		return false;
	default:
		return true;
	}
}

/* ---- What the columns say ----------------------------------------------------------- */

static void say_locks(char *buf, size_t size)
{
	char name[NAME_SIZE];

	for (unsigned int c = 0; c < table.record->nr_cells; c++) {
		if (kind_of(c) != CELL_LOCK || table.values[c] == 0)
			continue;
		cell_name(table.record, c, name);
		text_append(buf, size, "%s%c:%s", *buf ? " " : "",
			    actor_letter(table.values[c] - 1), name);
	}
}

/* "slot0=p1"; and which TLBs still have what is gone, at entry @at. */
static void say_place(unsigned int place, uint32_t at, char *buf, size_t size)
{
	const struct record *record = table.record;
	int pte = cell_find(record, CELL_PTE, place, 0);
	char name[NAME_SIZE];
	char page[NAME_SIZE];
	const char *lead = " stale:";

	place_name(record, place, name);
	cell_value(record, (unsigned int)pte, table.values[pte], page);
	text_append(buf, size, "%s%s=%s", *buf ? ", " : "", name, page);
	for (unsigned int c = 0; c < record->program.machine.nr_cpus; c++) {
		int tlb = cell_find(record, CELL_TLB, place, c);

		if (tlb < 0 || table.values[tlb] == 0 ||
		    is_offline(record, c, at) ||
		    table.values[tlb] == table.values[pte])
			continue;
		cell_value(record, (unsigned int)tlb, table.values[tlb], page);
		text_append(buf, size, "%s cpu%u=%s", lead, c, page);
		lead = "";
	}
}

static void say_places(uint32_t at, char *buf, size_t size)
{
	for (unsigned int p = 0; p < table.record->nr_places; p++) {
		if (table.moved[p])
			say_place(p, at, buf, size);
		table.moved[p] = false;
	}
}

/* "slot_install pkmap.c:112" -> "pkmap.c:112" */
static void say_where(const void *caller, char *buf)
{
	const char *source = source_at(caller);
	const char *line = strchr(source, ' ');

	snprintf(buf, SOURCE_SIZE, "%s", line ? line + 1 : source);
}

static struct row *add_row(const struct entry *entry, unsigned int column)
{
	struct row *row = &table.rows[table.nr_rows++];

	*row = (struct row){ .step = entry->step, .column = column };
	if (entry->actor >= PROGRAM_MAX_TASKS && entry->task == column)
		text_append(row->text, TEXT_SIZE,
			    "%c: ", actor_letter(entry->actor));
	say_where(entry->caller, row->where);
	say_locks(row->locks, sizeof(row->locks));
	say_places((uint32_t)(entry - entry_at(0)), row->tlbs,
		   sizeof(row->tlbs));
	return row;
}

/* ---- Rows ------------------------------------------------------------------------------ */

static void apply(const struct entry *entry)
{
	for (uint32_t i = 0; i < entry->nr_changes; i++) {
		const struct change *change =
			&table.record->changes[entry->first_change + i];
		const struct cell *cell = &table.record->cells[change->cell];

		table.values[change->cell] = change->after;
		if (cell->kind == CELL_PTE || cell->kind == CELL_TLB)
			table.moved[cell->a] = true;
	}
}

/* What a whole operation did in the end, as far as it shows. */
static void say_net_change(unsigned int cell, uint32_t before, char *buf)
{
	char name[NAME_SIZE];
	char from[NAME_SIZE];
	char to[NAME_SIZE];

	if (before == table.values[cell])
		return;
	cell_value(table.record, cell, before, from);
	cell_value(table.record, cell, table.values[cell], to);
	cell_name(table.record, cell, name);
	if (kind_of(cell) == CELL_COUNT || kind_of(cell) == CELL_QUEUE)
		text_append(buf, TEXT_SIZE, "%s%s %s->%s", *buf ? ", " : "",
			    name, from, to);
	else if (kind_of(cell) == CELL_PTE && table.values[cell] != 0)
		text_append(buf, TEXT_SIZE, "%s%s=%s", *buf ? ", " : "",
			    name + strlen("pte "), to);
}

static void say_woken(const struct entry *entry, char *buf)
{
	if (entry->kind == ENTRY_ACCESS && entry->access == SIM_UNPARK)
		text_append(buf, TEXT_SIZE, "%swakes %c", *buf ? ", " : "",
			    actor_letter(entry->other));
}

/* From @begin to @end, all at once; nothing if nothing came of it. */
static void add_whole_op(uint32_t begin, uint32_t end)
{
	size_t size = table.record->nr_cells * sizeof(table.values[0]);
	uint32_t *before = trace_room(1, size);
	const struct entry *first = entry_at(begin);
	char net[TEXT_SIZE] = "";
	struct row *row;

	memcpy(before, table.values, size);
	for (uint32_t i = begin; i <= end; i++)
		apply(entry_at(i));
	for (unsigned int c = 0; c < table.record->nr_cells; c++)
		say_net_change(c, before[c], net);
	for (uint32_t i = begin; i <= end; i++)
		say_woken(entry_at(i), net);
	free(before);
	if (strcmp(first->text, TRACE_AT_END) == 0 && !*net)
		return;
	row = add_row(first, first->task);
	text_append(row->text, TEXT_SIZE, "%s", first->text);
	if (strcmp(entry_at(end)->outcome, "ok") != 0)
		text_append(row->text, TEXT_SIZE, ": %s",
			    entry_at(end)->outcome);
	if (*net)
		text_append(row->text, TEXT_SIZE, ": %s", net);
}

static void add_words(const struct entry *entry, unsigned int column,
		      const char *lead)
{
	struct row *row = add_row(entry, column);
	char words[96];

	entry_words(table.record, entry, words, sizeof(words));
	text_append(row->text, TEXT_SIZE, "%s%s", lead, words);
}

static void add_switch(const struct entry *entry)
{
	if (strcmp(entry->text, "is preempted") == 0 ||
	    strncmp(entry->text, "spins", 5) == 0)
		add_words(entry, entry->other, "-- ");
}

/* Returns the entry to go on with. */
static uint32_t add_entry(uint32_t at)
{
	const struct entry *entry = entry_at(at);
	uint32_t end = entry->kind == ENTRY_BEGIN ? end_of(at) : 0;

	if (entry->kind == ENTRY_BEGIN && is_whole(at, end)) {
		add_whole_op(at, end);
		return end + 1;
	}
	apply(entry);
	switch ((enum entry_kind)entry->kind) {
	case ENTRY_BEGIN:
	case ENTRY_END:
	case ENTRY_ENTER:
	case ENTRY_LEAVE:
	case ENTRY_DRAIN:
		add_words(entry, entry->task, "");
		break;
	case ENTRY_SWITCH:
		add_switch(entry);
		break;
	case ENTRY_WAKE:
		add_words(entry, entry->other, "-- ");
		break;
	case ENTRY_ACCESS:
		if (is_access_worth_it(at) && !is_repetition())
			add_words(entry, entry->task, "  ");
		break;
	case ENTRY_CALM:
	case ENTRY_CHANCE:
	case ENTRY_LAST_FLUSH:
		table.spins += entry->kind == ENTRY_CALM;
		add_words(entry, entry->task, "-- ");
		break;
	case ENTRY_STALL:
		if (*entry->text)
			add_words(entry, entry->task, "-- ");
		break;
	case ENTRY_VERDICT:
		break;
	}
	return at + 1;
}

/* ---- Printing ----------------------------------------------------------------------------- */

static size_t width_of_column(unsigned int column)
{
	size_t width = 0;

	for (uint32_t r = 0; r < table.nr_rows; r++)
		if (table.rows[r].column == column &&
		    strlen(table.rows[r].text) > width)
			width = strlen(table.rows[r].text);
	if (width > 0 && width < MIN_WIDTH)
		return MIN_WIDTH;
	return width < MAX_WIDTH ? width : MAX_WIDTH;
}

static size_t width_of_where(void)
{
	size_t width = 5;

	for (uint32_t r = 0; r < table.nr_rows; r++)
		if (strlen(table.rows[r].where) > width)
			width = strlen(table.rows[r].where);
	return width;
}

static void print_head(FILE *out, const size_t *widths, size_t where)
{
	const struct program *program = &table.record->program;
	char name[NAME_SIZE];

	fprintf(out, "%5s  %-*s", "step", (int)where, "where");
	for (unsigned int t = 0; t < program->nr_tasks; t++) {
		if (widths[t] == 0)
			continue;
		snprintf(name, sizeof(name), "%c (cpu%u)", actor_letter(t),
			 program->task_cpu[t]);
		fprintf(out, "  %-*s", (int)widths[t], name);
	}
	fprintf(out, "  locks; TLBs\n");
}

/* How much of @text goes on this line: all, or what ends with a comma. */
static size_t cut(const char *text, size_t width)
{
	size_t at = width;

	if (strlen(text) <= width)
		return strlen(text);
	while (at > 0 && text[at - 1] != ',')
		at--;
	return at ? at : width;
}

static void skip_columns(FILE *out, const size_t *widths, unsigned int from,
			 unsigned int to)
{
	for (unsigned int t = from; t < to; t++)
		if (widths[t] > 0)
			fprintf(out, "  %*s", (int)widths[t], "");
}

static void print_row(FILE *out, const struct row *row, const size_t *widths,
		      size_t where)
{
	const char *text = row->text;
	size_t width = widths[row->column];
	bool first = true;

	do {
		size_t len = cut(text, width);

		if (first)
			fprintf(out, "%5" PRIu32 "  %-*s", row->step,
				(int)where, row->where);
		else
			fprintf(out, "%5s  %-*s", "", (int)where, "");
		skip_columns(out, widths, 0, row->column);
		fprintf(out, "  %.*s", (int)len, text);
		text += len;
		text += *text == ' ';
		if (first && (*row->locks || *row->tlbs)) {
			fprintf(out, "%*s", (int)(width - len), "");
			skip_columns(out, widths, row->column + 1,
				     table.record->program.nr_tasks);
			fprintf(out, "  %s%s%s", row->locks,
				*row->locks && *row->tlbs ? "; " : "",
				row->tlbs);
		}
		fputc('\n', out);
		first = false;
	} while (*text);
}

void trace_print_table(FILE *out, const struct record *record)
{
	size_t widths[PROGRAM_MAX_TASKS];
	size_t where;

	table.record = record;
	table.nr_rows = 0;
	table.spins = 0;
	table.values = trace_room(record->nr_cells, sizeof(table.values[0]));
	table.moved = trace_room(record->nr_places, sizeof(table.moved[0]));
	table.rows = trace_room(record->nr_entries, sizeof(table.rows[0]));
	for (uint32_t i = 0; i < record->nr_entries;)
		i = add_entry(i);
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		widths[t] = width_of_column(t);
	where = width_of_where();
	print_head(out, widths, where);
	for (uint32_t r = 0; r < table.nr_rows; r++)
		print_row(out, &table.rows[r], widths, where);
	free(table.values);
	free(table.moved);
	free(table.rows);
}
