/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "stress/explore/trace/trace.h"

/*
 * Every access on a line of its own, with who did it and where in the source.
 * The locks held and what each TLB has follow when they have changed; a '!'
 * marks what a TLB has and the page table has no longer, if its CPU is online.
 */

static void print_locks(FILE *out, const struct record *record,
			const uint32_t *values)
{
	const char *lead = "";
	char name[NAME_SIZE];

	fprintf(out, "%*s", 8, "");
	fputs("locks: ", out);
	for (unsigned int c = 0; c < record->nr_cells; c++) {
		if (record->cells[c].kind != CELL_LOCK || values[c] == 0)
			continue;
		cell_name(record, c, name);
		fprintf(out, "%s%c has %s", lead, actor_letter(values[c] - 1),
			name);
		lead = ", ";
	}
	fprintf(out, "%s\n", *lead ? "" : "none");
}

static void print_tlb(FILE *out, const struct record *record,
		      const uint32_t *values, unsigned int cpu, bool offline)
{
	char place[NAME_SIZE];
	char page[NAME_SIZE];

	fprintf(out, "  cpu%u {", cpu);
	for (unsigned int p = 0; p < record->nr_places; p++) {
		int tlb = cell_find(record, CELL_TLB, p, cpu);
		int pte = cell_find(record, CELL_PTE, p, 0);

		if (tlb < 0 || values[tlb] == 0)
			continue;
		place_name(record, p, place);
		cell_value(record, (unsigned int)tlb, values[tlb], page);
		fprintf(out, " %s=%s%s", place, page,
			offline || values[tlb] == values[pte] ? "" : "!");
	}
	fputs(" }", out);
}

static void print_tlbs(FILE *out, const struct record *record, uint32_t at,
		       const uint32_t *values)
{
	fprintf(out, "%*s", 8, "");
	fputs("TLBs: ", out);
	for (unsigned int c = 0; c < record->program.machine.nr_cpus; c++)
		print_tlb(out, record, values, c, is_offline(record, c, at));
	fputc('\n', out);
}

/* Applies the entry's changes. Returns which kinds of cells were among them. */
static uint32_t apply(const struct record *record, const struct entry *entry,
		      uint32_t *values)
{
	uint32_t kinds = 0;

	for (uint32_t i = 0; i < entry->nr_changes; i++) {
		const struct change *change =
			&record->changes[entry->first_change + i];

		values[change->cell] = change->after;
		kinds |= UINT32_C(1) << record->cells[change->cell].kind;
	}
	return kinds;
}

/* Changes that are not the access itself. */
static void print_others(FILE *out, const struct record *record,
			 const struct entry *entry)
{
	char name[NAME_SIZE];
	char before[NAME_SIZE];
	char after[NAME_SIZE];

	for (uint32_t i = 0; i < entry->nr_changes; i++) {
		const struct change *change =
			&record->changes[entry->first_change + i];
		enum cell_kind kind = record->cells[change->cell].kind;

		if ((int)change->cell == entry->cell || kind == CELL_TLB ||
		    kind == CELL_STORES || kind == CELL_TASK)
			continue;
		cell_name(record, change->cell, name);
		cell_value(record, change->cell, change->before, before);
		cell_value(record, change->cell, change->after, after);
		fprintf(out, "%*s%s %s->%s\n", 8, "", name, before, after);
	}
}

static void print_entry(FILE *out, const struct record *record,
			const struct entry *entry, uint32_t *values)
{
	bool inner = entry->kind == ENTRY_ACCESS || entry->kind == ENTRY_DRAIN;
	uint32_t kinds = apply(record, entry, values);
	char words[96];

	entry_words(record, entry, words, sizeof(words));
	if (entry->kind == ENTRY_SWITCH)
		fprintf(out, "%5" PRIu32 "  %c %s\n", entry->step,
			actor_letter(entry->other), words);
	else
		fprintf(out, "%5" PRIu32 "  %c%s %-34s %s\n", entry->step,
			actor_letter(entry->actor), inner ? "  " : "", words,
			source_at(entry->caller));
	print_others(out, record, entry);
	if (kinds & UINT32_C(1) << CELL_LOCK)
		print_locks(out, record, values);
	if (kinds & UINT32_C(1) << CELL_TLB)
		print_tlbs(out, record, (uint32_t)(entry - record->entries) + 1,
			   values);
}

void trace_print_full(FILE *out, const struct record *record)
{
	uint32_t *values = trace_room(record->nr_cells, sizeof(values[0]));

	for (uint32_t i = 0; i < record->nr_entries; i++)
		print_entry(out, record, &record->entries[i], values);
	free(values);
}
