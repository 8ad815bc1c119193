/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stress/explore/trace/trace.h"

/*
 * One object, "format": "highmem-trace-1":
 *
 *	program		its text with choices, as program_parse() takes it
 *	verdict		"ok", "deadlock", "bug" or "refused": ok on the second
 *			boot
 *	sentence	the oracle's; why: ours
 *	steps		points of the run
 *	trace_hash	of all accesses, as 16 hex digits
 *	machine		cpus, slots, colours, depth
 *	actors		name, cpu, and handler: true for interrupts
 *	pages		names, by index in mem_map
 *	places		where pages can be mapped: slots, then windows
 *	cells		state that changes in this run: kind (count, owner, free,
 *			pte, tlb, slot, queue, lock, depth, task, stores), a and b
 *			(which one: trace.h says), name, first (its first value)
 *	entries		what happened, in order; absent members are empty:
 *			step, kind (begin, end, enter, leave, switch, wake, drain,
 *			chance, access, calm, flush, stall, verdict), actor and task (numbers of
 *			actors: the task is the one a handler interrupted), says
 *			(in words), op (begin, end), outcome (end), access
 *			(load, store, ...), write (true: it changed the word), held
 *			(true: in the store buffer for now), other (an actor), at
 *			(source), set: [cell, value] for each cell that changed
 *
 * Values are numbers as trace.h has them: a page is 1 + its index, 0 is none;
 * a lock has 1 + its holder; a task has 0 ready, 1 asleep, 2 spinning, 3 stuck,
 * 4 ended.
 */

static const char *const kind_names[] = {
	[CELL_COUNT] = "count",	  [CELL_OWNER] = "owner",
	[CELL_FREE] = "free",	  [CELL_PTE] = "pte",
	[CELL_TLB] = "tlb",	  [CELL_SLOT] = "slot",
	[CELL_QUEUE] = "queue",	  [CELL_LOCK] = "lock",
	[CELL_DEPTH] = "depth",	  [CELL_TASK] = "task",
	[CELL_STORES] = "stores",
};

static const char *const entry_names[] = {
	[ENTRY_BEGIN] = "begin",   [ENTRY_END] = "end",
	[ENTRY_ENTER] = "enter",   [ENTRY_LEAVE] = "leave",
	[ENTRY_SWITCH] = "switch", [ENTRY_WAKE] = "wake",
	[ENTRY_DRAIN] = "drain",   [ENTRY_ACCESS] = "access",
	[ENTRY_CALM] = "calm",	   [ENTRY_LAST_FLUSH] = "flush",
	[ENTRY_STALL] = "stall",   [ENTRY_VERDICT] = "verdict",
	[ENTRY_CHANCE] = "chance",
};

/* '<' is spelt out, so that no string can end a script element. */
static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", out);
		else if ((unsigned char)*text < ' ' || *text == '<')
			fprintf(out, "\\u%04x", (unsigned int)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void put_member(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	put_string(out, text);
}

static void put_head(FILE *out, const struct record *record)
{
	static const char *const verdicts[] = {
		[EXEC_OK] = "ok",
		[EXEC_DEADLOCK] = "deadlock",
		[EXEC_BUG] = "bug",
		[EXEC_REFUSED] = "refused",
	};
	static char text[16384];

	program_print(&record->program, text, sizeof(text));
	fputs("{\"format\":\"highmem-trace-1\"", out);
	put_member(out, "program", text);
	put_member(out, "verdict", verdicts[record->result.exec.verdict]);
	put_member(out, "sentence", record->result.exec.sentence);
	put_member(out, "why", record->why);
	fprintf(out, ",\"steps\":%" PRIu32 ",\"trace_hash\":\"%016" PRIx64 "\"",
		record->result.steps, record->result.trace_hash);
}

static void put_machine(FILE *out, const struct record *record)
{
	const struct machine_config *machine = &record->program.machine;
	char name[NAME_SIZE];

	fprintf(out,
		",\n\"machine\":{\"cpus\":%u,\"slots\":%u,\"colours\":%u,"
		"\"depth\":%u}",
		machine->nr_cpus, machine->nr_slots, machine->nr_colours,
		machine->local_depth);
	fputs(",\n\"pages\":[", out);
	for (unsigned int p = 0; p < MACHINE_LOWMEM_PAGES + machine->nr_pages;
	     p++) {
		page_name(p, name);
		fputs(p ? "," : "", out);
		put_string(out, name);
	}
	fputs("],\n\"places\":[", out);
	for (unsigned int p = 0; p < record->nr_places; p++) {
		place_name(record, p, name);
		fputs(p ? "," : "", out);
		put_string(out, name);
	}
	fputs("]", out);
}

/* All six, so that an actor's number is its index. */
static void put_actors(FILE *out, const struct record *record)
{
	const struct program *program = &record->program;

	fputs(",\n\"actors\":[", out);
	for (unsigned int a = 0; a < PROGRAM_MAX_ACTORS; a++) {
		bool handler = a >= PROGRAM_MAX_TASKS;
		unsigned int nr = handler ? a - PROGRAM_MAX_TASKS : a;
		bool there = nr <
			     (handler ? program->nr_irqs : program->nr_tasks);

		fputs(a ? "," : "", out);
		if (!there)
			fputs("null", out);
		else
			fprintf(out, "{\"name\":\"%c\",\"cpu\":%u%s}",
				actor_letter(a),
				handler ? program->irq_cpu[nr]
					: program->task_cpu[nr],
				handler ? ",\"handler\":true" : "");
	}
	fputs("]", out);
}

/* For each cell its number among those that change, from 1; 0 for the rest. */
static unsigned int *number_cells(const struct record *record)
{
	unsigned int *number = trace_room(record->nr_cells, sizeof(number[0]));

	for (uint32_t i = 0; i < record->nr_changes; i++)
		number[record->changes[i].cell] = 1;
	for (unsigned int c = 0, nr = 0; c < record->nr_cells; c++)
		number[c] = number[c] ? ++nr : 0;
	return number;
}

static void put_cells(FILE *out, const struct record *record,
		      const unsigned int *number)
{
	char name[NAME_SIZE];

	fputs(",\n\"cells\":[", out);
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		const struct cell *cell = &record->cells[c];

		if (number[c] == 0)
			continue;
		cell_name(record, c, name);
		fprintf(out,
			"%s{\"kind\":\"%s\",\"a\":%u,\"b\":%u,\"first\":%d",
			number[c] == 1 ? "" : ",\n", kind_names[cell->kind],
			cell->a, cell->b, cell->kind == CELL_FREE);
		put_member(out, "name", name);
		fputs("}", out);
	}
	fputs("]", out);
}

static bool has_other(const struct entry *entry)
{
	return entry->kind == ENTRY_SWITCH || entry->kind == ENTRY_WAKE ||
	       (entry->kind == ENTRY_ACCESS && entry->access == SIM_UNPARK);
}

static void put_entry(FILE *out, const struct record *record,
		      const struct entry *entry, const unsigned int *number)
{
	char words[96];

	entry_words(record, entry, words, sizeof(words));
	fprintf(out,
		"{\"step\":%" PRIu32 ",\"kind\":\"%s\",\"actor\":%u,"
		"\"task\":%u",
		entry->step, entry_names[entry->kind], entry->actor,
		entry->task);
	put_member(out, "says", words);
	if (entry->kind == ENTRY_BEGIN || entry->kind == ENTRY_END)
		put_member(out, "op", entry->text);
	if (*entry->outcome)
		put_member(out, "outcome", entry->outcome);
	if (entry->kind == ENTRY_ACCESS)
		put_member(out, "access",
			   sim_access_name((enum sim_access)entry->access));
	if (entry->kind == ENTRY_ACCESS && entry->before != entry->after)
		fputs(",\"write\":true", out);
	if (entry->held)
		fputs(",\"held\":true", out);
	if (has_other(entry))
		fprintf(out, ",\"other\":%u", entry->other);
	if (*source_at(entry->caller))
		put_member(out, "at", source_at(entry->caller));
	for (uint32_t i = 0; i < entry->nr_changes; i++) {
		const struct change *change =
			&record->changes[entry->first_change + i];

		fprintf(out, "%s[%u,%" PRIu32 "]", i ? "," : ",\"set\":[",
			number[change->cell] - 1, change->after);
	}
	fputs(entry->nr_changes ? "]}" : "}", out);
}

void trace_print_json(FILE *out, const struct record *record)
{
	unsigned int *number = number_cells(record);

	put_head(out, record);
	put_machine(out, record);
	put_actors(out, record);
	put_cells(out, record, number);
	fputs(",\n\"entries\":[\n", out);
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		put_entry(out, record, &record->entries[i], number);
		fputs(i + 1 < record->nr_entries ? ",\n" : "\n", out);
	}
	fputs("]}\n", out);
	free(number);
}

void trace_print_html(FILE *out, const struct record *record)
{
	for (const char *const *line = timeline_page; *line; line++) {
		if (strcmp(*line, "@RUN@") == 0)
			trace_print_json(out, record);
		else
			fprintf(out, "%s\n", *line);
	}
}
