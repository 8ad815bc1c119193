/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "stress/explore/explain/explain.h"

/* ---- The boot ---------------------------------------------------------------------- */

static void say_which_alloc(const struct record *record, char *buf)
{
	static const char *const suffixes[] = { "st", "nd", "rd" };
	const struct choice *choice = &record->result.choices[0];
	const char *suffix = choice->arg < 3 ? suffixes[choice->arg] : "th";

	text_append(buf, SENTENCE_SIZE,
		    "the %u%s allocation of the boot%s fail", choice->arg + 1U,
		    suffix,
		    choice->kind == CHOICE_ALLOC ? "" : " and all after it");
	text_append(buf, SENTENCE_SIZE, "%s",
		    choice->kind == CHOICE_ALLOC ? "s" : "");
}

/* What the machine says of such a boot, after how it begins. */
static bool explain_alloc(const struct record *record, char *buf)
{
	const char *sentence = record->result.exec.sentence;
	const char *rest = strstr(sentence, " of the boot fails");

	if (!rest || record->result.nr_choices == 0 ||
	    !choice_of_boot(record->result.choices[0].kind))
		return false;
	rest += strlen(" of the boot fails");
	say_which_alloc(record, buf);
	text_append(buf, SENTENCE_SIZE, "%s%s", *rest == ':' ? ";" : "",
		    *rest == ':' ? rest + 1 : rest);
	return true;
}

static void say_refused(const struct record *record, char *buf)
{
	say_which_alloc(record, buf);
	text_append(buf, SENTENCE_SIZE,
		    "; the core refuses, gives back all that it took, and "
		    "nothing goes wrong on the boot after that");
}

/* In this order: who is asked first knows more of what it sees. */
static explanation *const explanations[] = {
	explain_alloc,	      explain_deadlock,	  explain_too_long,
	explain_lost_wakeup,  explain_lost_grant, explain_spin,
	explain_sleep,	      explain_lock_left,  explain_misuse,
	explain_dirty_window, explain_stale,	  explain_two_slots,
	explain_stolen_slot,  explain_count,
};

/* ---- When nobody knows ------------------------------------------------------------ */

/* "page 3" of the core is an index in mem_map; people know it as p1. */
static void copy_with_page_names(const char *sentence, char *buf)
{
	while (*sentence) {
		unsigned int index;
		char name[NAME_SIZE];

		if (match(sentence, "page #", &index) == 1) {
			page_name(index, name);
			text_append(buf, SENTENCE_SIZE, "%s", name);
			sentence += strlen("page ");
			while (*sentence >= '0' && *sentence <= '9')
				sentence++;
		} else {
			text_append(buf, SENTENCE_SIZE, "%.1s", sentence);
			sentence++;
		}
	}
}

/* After which operation it was seen. */
static void say_failed_op(const struct record *record, char *buf)
{
	char doer[NAME_SIZE];

	for (uint32_t i = record->nr_entries; i-- > 0;) {
		if (record->entries[i].kind != ENTRY_END ||
		    strcmp(record->entries[i].outcome, "FAILED") != 0)
			continue;
		text_append(buf, SENTENCE_SIZE, "; seen in %s at step %" PRIu32,
			    doer_name(record, i, doer),
			    record->entries[i].step);
		return;
	}
}

static bool is_turn(const struct entry *entry)
{
	return entry->kind == ENTRY_ENTER ||
	       (entry->kind == ENTRY_ACCESS && entry->held) ||
	       (entry->kind == ENTRY_SWITCH &&
		strcmp(entry->text, "is preempted") == 0);
}

static void say_turn(const struct record *record, uint32_t at, char *buf)
{
	const struct entry *entry = &record->entries[at];
	char doer[NAME_SIZE];

	if (entry->kind == ENTRY_ENTER)
		text_append(buf, SENTENCE_SIZE, "%c interrupted %s",
			    actor_letter(entry->actor),
			    actor_doing(record, entry->task, at, doer));
	else if (entry->kind == ENTRY_SWITCH)
		text_append(buf, SENTENCE_SIZE, "%s was preempted",
			    actor_doing(record, entry->other, at, doer));
	else
		text_append(buf, SENTENCE_SIZE, "%s had a store held back",
			    doer_name(record, at, doer));
	text_append(buf, SENTENCE_SIZE, " at step %" PRIu32, entry->step);
}

/* What was out of the ordinary just before. */
static void say_last_turns(const struct record *record, char *buf)
{
	uint32_t turns[2];
	unsigned int nr = 0;

	for (uint32_t i = record->nr_entries; nr < 2 && i-- > 0;)
		if (is_turn(&record->entries[i]))
			turns[nr++] = i;
	if (nr == 0)
		return;
	text_append(buf, SENTENCE_SIZE, "; before it, ");
	if (nr == 2) {
		say_turn(record, turns[1], buf);
		text_append(buf, SENTENCE_SIZE, " and ");
	}
	say_turn(record, turns[0], buf);
}

/* ------------------------------------------------------------------------------------ */

const char *explain_record(const struct record *record)
{
	static char sentence[SENTENCE_SIZE];
	size_t nr = sizeof(explanations) / sizeof(explanations[0]);

	sentence[0] = '\0';
	if (record->result.exec.verdict == EXEC_OK)
		return "nothing goes wrong: every task ends, and all that "
		       "must hold holds";
	if (record->result.exec.verdict == EXEC_REFUSED) {
		say_refused(record, sentence);
		return sentence;
	}
	for (size_t i = 0; i < nr; i++)
		if (explanations[i](record, sentence))
			return sentence;
	copy_with_page_names(record->result.exec.sentence, sentence);
	say_failed_op(record, sentence);
	say_last_turns(record, sentence);
	return sentence;
}
