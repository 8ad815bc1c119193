/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/ports/sim/sim.h"
#include "stress/explore/explain/explain.h"

static const char *skip_word(const char *text)
{
	while (isalnum((unsigned char)*text))
		text++;
	return text;
}

unsigned int match(const char *text, const char *pattern, unsigned int *values)
{
	unsigned int nr = 0;

	for (; *pattern; pattern++) {
		char *end = NULL;

		if (*pattern == '*') {
			text = skip_word(text);
		} else if (*pattern == '#' && isdigit((unsigned char)*text)) {
			values[nr++] = (unsigned int)strtoul(text, &end, 10);
			text = end;
		} else if (*pattern == '?' && *text) {
			values[nr++] = (unsigned char)*text++;
		} else if (*pattern != *text++) {
			break;
		}
	}
	return nr;
}

uint32_t final_value(const struct record *record, enum cell_kind kind,
		     unsigned int a, unsigned int b)
{
	return record->values[cell_find(record, kind, a, b)];
}

static bool changes(const struct record *record, uint32_t at, unsigned int cell,
		    uint32_t *after)
{
	const struct entry *entry = &record->entries[at];

	for (uint32_t i = entry->nr_changes; i-- > 0;) {
		const struct change *change =
			&record->changes[entry->first_change + i];

		if (change->cell != cell)
			continue;
		if (after)
			*after = change->after;
		return true;
	}
	return false;
}

uint32_t last_change(const struct record *record, int cell, uint32_t limit)
{
	for (uint32_t i = limit; i-- > 0;)
		if (changes(record, i, (unsigned int)cell, NULL))
			return i;
	return NONE;
}

uint32_t value_at(const struct record *record, unsigned int cell, uint32_t at)
{
	uint32_t changed = last_change(record, (int)cell, at + 1);
	uint32_t value = record->cells[cell].kind == CELL_FREE;

	if (changed != NONE)
		changes(record, changed, cell, &value);
	return value;
}

uint32_t last_access(const struct record *record, unsigned int actor,
		     enum sim_access access, uint32_t limit)
{
	for (uint32_t i = limit; i-- > 0;) {
		const struct entry *entry = &record->entries[i];

		if (entry->kind == ENTRY_ACCESS && entry->actor == actor &&
		    entry->access == access)
			return i;
	}
	return NONE;
}

uint32_t begin_of(const struct record *record, uint32_t at)
{
	uint8_t actor = record->entries[at].actor;

	while (at > 0 && !(record->entries[at].kind == ENTRY_BEGIN &&
			   record->entries[at].actor == actor))
		at--;
	return at;
}

const char *actor_doing(const struct record *record, unsigned int actor,
			uint32_t at, char *buf)
{
	const char *op = TRACE_AT_END;

	for (uint32_t i = 0; i <= at; i++)
		if (record->entries[i].kind == ENTRY_BEGIN &&
		    record->entries[i].actor == actor)
			op = record->entries[i].text;
	if (strcmp(op, TRACE_AT_END) == 0)
		snprintf(buf, NAME_SIZE, "%c at its end", actor_letter(actor));
	else
		snprintf(buf, NAME_SIZE, "%c's %.31s", actor_letter(actor), op);
	return buf;
}

const char *doer_name(const struct record *record, uint32_t at, char *buf)
{
	const struct entry *entry = &record->entries[at];

	if (entry->kind == ENTRY_LAST_FLUSH)
		snprintf(buf, NAME_SIZE, "the last flush");
	else if (entry->kind == ENTRY_SWITCH)
		snprintf(buf, NAME_SIZE, "the switch from %c to %c",
			 actor_letter(entry->other),
			 actor_letter(entry->actor));
	else
		actor_doing(record, entry->actor, at, buf);
	return buf;
}

uint32_t step_of(const struct record *record, uint32_t at)
{
	return at == NONE ? 0 : record->entries[at].step;
}

bool is_asleep(const struct record *record, unsigned int task)
{
	return final_value(record, CELL_TASK, task, 0) == SIM_TASK_PARKED;
}

int page_of_op(const struct record *record, unsigned int actor)
{
	for (uint32_t i = record->nr_entries; i-- > 0;) {
		const struct entry *entry = &record->entries[i];
		unsigned int value[2]; /* zone, number */

		if (entry->kind != ENTRY_BEGIN || entry->actor != actor)
			continue;
		if (match(entry->text, "* ?#", value) != 2)
			return -1;
		return (int)(value[0] == 'p' ? value[1] + MACHINE_LOWMEM_PAGES
					     : value[1]);
	}
	return -1;
}
