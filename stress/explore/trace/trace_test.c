/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/build/prng.h"
#include "stress/explore/trace/trace.h"

static struct program program;

static struct record *record_of(const char *text)
{
	struct program_error error;

	cr_assert(program_parse(&program, text, strlen(text), &error), "%u: %s",
		  error.line, error.expected);
	return record_run(&program);
}

/* Run it again with one more choice. */
static struct record *record_again(struct record *record, uint32_t step,
				   enum choice_kind kind, unsigned int arg)
{
	record_free(record);
	program.choices[program.nr_choices++] = (struct choice){
		.step = step,
		.kind = (uint8_t)kind,
		.arg = (uint8_t)arg,
	};
	return record_run(&program);
}

/* The first entry of that kind with @says in its words. */
static const struct entry *entry_of(const struct record *record,
				    enum entry_kind kind, const char *says)
{
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];
		char words[96];

		entry_words(record, entry, words, sizeof(words));
		if (entry->kind == kind && strstr(words, says))
			return entry;
	}
	cr_assert_fail("no entry says '%s'", says);
	return NULL;
}

static uint32_t step_of(const struct record *record, const char *says)
{
	return entry_of(record, ENTRY_ACCESS, says)->step;
}

static char *printed(struct record *record,
		     void (*print)(FILE *out, const struct record *record))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(out);
	record->why = "the sentence";
	print(out, record);
	fclose(out);
	return text;
}

/* ---- The table --------------------------------------------------------------------- */

/*
 * Without the step numbers, which move with every change of the core, and with
 * a bar for each gap, so that one can read it here.
 */
static char *table_of(const char *text)
{
	struct record *record = record_of(text);
	char *table = printed(record, trace_print_table);
	char *got = calloc(2, strlen(table) + 1);
	char *to = got;

	for (char *line = strtok(table, "\n"); line;
	     line = strtok(NULL, "\n")) {
		for (line += strlen("12345  where"); *line; line++) {
			if (strncmp(line, "  ", 2) == 0) {
				*to++ = '|';
				line += strspn(line, " ");
			}
			*to++ = *line;
		}
		*to++ = '\n';
	}
	free(table);
	record_free(record);
	return got;
}

static void expect_table(const char *text, const char *want)
{
	char *got = table_of(text);

	cr_assert_str_eq(got, want, "%s", got);
	free(got);
}

Test(trace, whole_operations_are_one_row_each)
{
	expect_table("machine cpus=2 slots=2 pages=4\n"
		     "task A cpu=0: kmap p0; local p3; unlocal; kunmap p0\n"
		     "task B cpu=1: try p1; check\n",
		     "|A (cpu0)|B (cpu1)|locks; TLBs\n"
		     "|kmap p0: p0.count 0->2, slot0=p0|slot0=p0\n"
		     "|local p3: window0@cpu0=p3|window0@cpu0=p3\n"
		     "|unlocal|window0@cpu0=none\n"
		     "|kunmap p0: p0.count 2->1\n"
		     "|try p1: p1.count 0->2, slot1=p1|slot1=p1\n"
		     "|check\n"
		     "|(end): p1.count 2->1\n");
}

static const char hand_over[] = "machine cpus=2 slots=2 pages=4\n"
				"task A cpu=0: kmap p0; kmap p1\n"
				"task B cpu=1: kmap p2\n"
				"A: kunmap p0\n";

Test(trace, a_wait_and_a_hand_over)
{
	expect_table(hand_over,
		     "|A (cpu0)|B (cpu1)|locks; TLBs\n"
		     "|kmap p0: p0.count 0->2, slot0=p0|slot0=p0\n"
		     "|kmap p1: p1.count 0->2, slot1=p1|slot1=p1\n"
		     "|kmap p2\n"
		     "|queue0.nr 0->1|B:pkmap.lock B:queue0.lock\n"
		     "|sleeps\n"
		     "|kunmap p0: p0.count 2->0, queue0.nr 1->0,\n"
		     "|wakes B\n"
		     "|pte slot0 p0->none|"
		     "B:pkmap.lock; slot0=none stale: cpu0=p0 cpu1=p0\n"
		     "|shootdown slot0|B:pkmap.lock; slot0=none\n"
		     "|pte slot0 none->p2|B:pkmap.lock; slot0=p2\n"
		     "|p2.count 0->2|B:pkmap.lock\n"
		     "|kmap p2: ok\n"
		     "|(end): p1.count 2->1\n"
		     "|(end): p2.count 2->1\n");
}

/* What befalls a machine, and changes nothing that the table would show. */
Test(trace, choices_have_a_line_of_their_own)
{
	static const char text[] = "machine cpus=3 slots=2 pages=4\n"
				   "task A cpu=0: killable p0; kunmap p0\n"
				   "task B cpu=1: kmap p1\n"
				   "choices v2: 3=offline:1 5=online:1 "
				   "8=drop:0 9=A:cancel 14=migrate:2";
	static const char *const says[] = {
		"cpu1 goes offline",  "cpu1 comes online",
		"cpu0's TLB forgets", "a signal comes for A",
		"goes on on cpu2",
	};
	struct record *record = record_of(text);
	char *table = printed(record, trace_print_table);
	char *full = printed(record, trace_print_full);
	char *json = printed(record, trace_print_json);

	for (unsigned int i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		cr_expect(strstr(table, says[i]), "%s: %s", says[i], table);
		cr_expect(strstr(full, says[i]), "%s", says[i]);
		cr_expect(strstr(json, says[i]), "%s", says[i]);
	}
	free(table);
	free(full);
	free(json);
	record_free(record);
}

/* The column of what stands in the table for the first time. */
static size_t column_of(const char *table, const char *what)
{
	const char *at = strstr(table, what);
	const char *line = at;

	cr_assert(at, "%s is not in the table", what);
	while (line > table && line[-1] != '\n')
		line--;
	return (size_t)(at - line);
}

Test(trace, every_task_has_its_column)
{
	struct record *record = record_of(hand_over);
	char *table = printed(record, trace_print_table);

	cr_assert_eq(column_of(table, "A (cpu0)"),
		     column_of(table, "kunmap p0: "));
	cr_assert_eq(column_of(table, "B (cpu1)"), column_of(table, "kmap p2"));
	cr_assert_eq(column_of(table, "B (cpu1)") + 2,
		     column_of(table, "sleeps"));
	cr_assert_eq(column_of(table, "locks; TLBs"),
		     column_of(table, "B:pkmap.lock B:queue0.lock"));
	free(table);
	record_free(record);
}

/* ---- Entries ------------------------------------------------------------------------ */

Test(trace, a_preemption_and_who_did_what)
{
	struct record *record = record_of("machine cpus=2 slots=2 pages=4\n"
					  "task A cpu=0\n"
					  "task B cpu=1: yield\n"
					  "A: kmap p0\n"
					  "B: kmap p1\n");
	const struct entry *entry;

	record = record_again(record, step_of(record, "p0.count 0->2"),
			      CHOICE_RUN, 1);
	entry = entry_of(record, ENTRY_SWITCH, "is preempted");
	cr_assert_eq(entry->other, 0);
	cr_assert_eq(entry->task, 1);
	/* A has taken the lock by then: B has to wait for it. */
	entry = entry_of(record, ENTRY_SWITCH, "spins on pkmap.lock");
	cr_assert_eq(entry->other, 1);
	entry = entry_of(record, ENTRY_ACCESS, "p1.count 0->2");
	cr_assert_eq(entry->actor, 1);
	cr_assert_eq(entry->cpu, 1);
	record_free(record);
}

Test(trace, interrupts_chosen_and_raised)
{
	struct record *record = record_of("machine cpus=1 slots=2 pages=4\n"
					  "irq I cpu=0: local p1\n"
					  "irq J cpu=0: local p2\n"
					  "task A cpu=0: kmap p0; raise J\n");
	const struct entry *entry;

	record = record_again(record, step_of(record, "p0.count 0->2"),
			      CHOICE_IRQ, 0);
	entry = entry_of(record, ENTRY_ENTER, "interrupt I");
	cr_assert_eq(entry->actor, PROGRAM_MAX_TASKS);
	cr_assert_eq(entry->task, 0);
	cr_assert_eq(entry[1].kind, ENTRY_BEGIN);
	cr_assert_str_eq(entry[1].text, "local p1");
	cr_assert_lt(entry, entry_of(record, ENTRY_LEAVE, "interrupt I"));
	entry = entry_of(record, ENTRY_ENTER, "interrupt J");
	cr_assert_eq(entry->actor, PROGRAM_MAX_TASKS + 1);
	cr_assert_str_eq(entry[-1].text, "raise J");
	cr_assert_str_eq(entry[1].text, "local p2");
	record_free(record);
}

/* A held-back store is told when it is made and when it reaches memory. */
Test(trace, stores_that_are_held_back)
{
	struct record *record = record_of("machine cpus=2 slots=2 pages=4\n"
					  "task A cpu=0: kmap p0\n"
					  "task B cpu=1: kmap p1\n");
	const struct entry *store;
	const struct entry *drain;

	record = record_again(record, step_of(record, "p0.count 0->2"),
			      CHOICE_HOLD, 0);
	store = entry_of(record, ENTRY_ACCESS, "p0.count 0->2 (held back)");
	cr_assert(store->held);
	drain = entry_of(record, ENTRY_DRAIN,
			 "held-back store: p0.count = 2, p0.slot = slot0");
	cr_assert_gt(drain, store);
	record_free(record);
}

static const char wait_with_deadline[] = "machine cpus=2 slots=2 pages=4\n"
					 "task A cpu=0: kmap p0; kmap p1\n"
					 "task B cpu=1: timeout p2; yield\n"
					 "A: yield; yield; yield; yield\n"
					 "A: yield; yield; yield; yield\n";

Test(trace, a_deadline_wakes)
{
	struct record *record = record_of(wait_with_deadline);
	const struct entry *entry = entry_of(record, ENTRY_WAKE,
					     "B is woken by its deadline");

	cr_assert_gt(entry, entry_of(record, ENTRY_ACCESS, "sleeps"));
	cr_assert_str_eq(entry_of(record, ENTRY_END, "timeout p2")->outcome,
			 "no");
	record_free(record);
}

Test(trace, a_wake_up_for_nothing)
{
	struct record *record = record_of(hand_over);
	uint32_t step = step_of(record, "p0.count 2->1");

	record = record_again(record, step, CHOICE_SPURIOUS, 1);
	entry_of(record, ENTRY_WAKE, "B is woken by nothing");
	record_free(record);
}

Test(trace, a_signal)
{
	struct record *record = record_of("machine cpus=2 slots=2 pages=4\n"
					  "task A cpu=0: kmap p0; kmap p1\n"
					  "task B cpu=1: killable p2\n"
					  "A: yield; cancel B\n");
	uint32_t step = step_of(record, "B.signal 0->1");

	entry_of(record, ENTRY_ACCESS, "reads B.signal = 0");
	record = record_again(record, step, CHOICE_CANCEL, 1);
	entry_of(record, ENTRY_WAKE, "B is woken by a signal");
	record_free(record);
}

Test(trace, a_wake_up_by_hand)
{
	struct record *record = record_of(hand_over);
	const struct entry *entry = entry_of(record, ENTRY_ACCESS, "wakes B");

	cr_assert_eq(entry->actor, 0);
	cr_assert_eq(entry->other, 1);
	/* Under ASan the waiter may be on a fake stack, whose owner is unknown. */
	entry_of(record, ENTRY_ACCESS, "'s granted 0->1");
	record_free(record);
}

Test(trace, a_deadlock_ends_with_who_is_stuck)
{
	struct record *record = record_of("machine cpus=2 slots=2 pages=4\n"
					  "task A cpu=0: kmap p0\n"
					  "task B cpu=1: kmap p1\n"
					  "A: kmap p2\n"
					  "B: kmap p3\n");

	entry_of(record, ENTRY_STALL, "is asleep, for good");
	entry_of(record, ENTRY_VERDICT, "deadlock of the program");
	record_free(record);
}

/* ---- What holds for every record ------------------------------------------------------ */

static uint64_t seed;

static unsigned int sometimes(void *arg, uint32_t step,
			      enum sim_question question,
			      const uint8_t *options, unsigned int nr)
{
	(void)arg;
	(void)step;
	(void)options;
	if (prng_below(&seed, question == SIM_HOLD ? 4 : 30) != 0)
		return 0;
	return prng_below(&seed, nr);
}

/* A program with choices that a run has made. */
static bool make_program(struct controlled_result *result)
{
	const struct controlled_options options = {
		.choose = sometimes,
		.faults = CONTROLLED_ALL_FAULTS,
	};
	uint8_t header[PROGRAM_HEADER_BYTES];
	struct machine_config machine;

	for (size_t i = 0; i < sizeof(header); i++)
		header[i] = (uint8_t)prng_next(&seed);
	program_decode(&program, header, sizeof(header));
	machine = program.machine;
	program_generate(&program, &machine, 3, 6, &seed);
	if (program_can(&program))
		return false;
	controlled_run(&program, &options, result);
	memcpy(program.choices, result->choices, sizeof(result->choices));
	program.nr_choices = result->nr_choices;
	return true;
}

static void expect_changes_chain(const struct record *record)
{
	uint32_t *values = trace_room(record->nr_cells, sizeof(values[0]));

	for (unsigned int c = 0; c < record->nr_cells; c++)
		values[c] = record->cells[c].kind == CELL_FREE;
	for (uint32_t i = 0; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];

		for (uint32_t k = 0; k < entry->nr_changes; k++) {
			const struct change *change =
				&record->changes[entry->first_change + k];

			cr_assert_eq(values[change->cell], change->before);
			values[change->cell] = change->after;
		}
	}
	for (unsigned int c = 0; c < record->nr_cells; c++)
		cr_assert_eq(values[c], record->values[c]);
	free(values);
}

static void expect_nesting(const struct record *record)
{
	bool in_op[PROGRAM_MAX_ACTORS] = { false };
	unsigned int depth[PROGRAM_MAX_TASKS] = { 0 };
	uint32_t step = 0;

	for (uint32_t i = 0; i < record->nr_entries; i++) {
		const struct entry *entry = &record->entries[i];

		cr_assert_geq(entry->step, step);
		step = entry->step;
		if (entry->kind == ENTRY_BEGIN || entry->kind == ENTRY_END) {
			cr_assert_eq(in_op[entry->actor],
				     entry->kind == ENTRY_END);
			in_op[entry->actor] ^= true;
		}
		depth[entry->task] += entry->kind == ENTRY_ENTER;
		depth[entry->task] -= entry->kind == ENTRY_LEAVE;
		cr_assert_leq(depth[entry->task],
			      record->program.machine.nested_irqs ? 2 : 1);
		if (entry->kind == ENTRY_ACCESS)
			cr_assert(in_op[entry->actor]);
	}
}

/* Nobody sees that we look, and what we write down hangs together. */
Test(trace, records_of_random_runs)
{
	static struct controlled_result result;

	seed = 7;
	for (unsigned int i = 0; i < 150; i++) {
		struct record *record;

		if (!make_program(&result))
			continue;
		record = record_run(&program);
		cr_assert_eq(record->result.trace_hash, result.trace_hash);
		cr_assert_eq(record->result.nr_unmatched, 0);
		expect_changes_chain(record);
		expect_nesting(record);
		free(printed(record, trace_print_table));
		free(printed(record, trace_print_full));
		free(printed(record, trace_print_html));
		record_free(record);
	}
}

/* ---- Sources ------------------------------------------------------------------------------ */

Test(trace, accesses_know_their_line)
{
	struct record *record = record_of("machine cpus=1 slots=2 pages=4\n"
					  "task A cpu=0: kmap p0\n");
	const char *note = sources_load(record);
	const struct entry *entry = entry_of(record, ENTRY_ACCESS,
					     "p0.count 0->2");

	if (note)
		cr_assert_eq(source_at(entry->caller)[0], '+');
	else
		cr_assert(strstr(source_at(entry->caller), "pkmap.c:"));
	cr_assert_str_eq(source_at(NULL), "");
	record_free(record);
}

/* ---- The calm phase --------------------------------------------------------------- */

Test(trace, the_calm_phase_is_marked_where_it_begins)
{
	struct program_error error;
	struct record *record;
	char *text;
	const char *lines = "machine cpus=2 slots=2\n"
			    "task A cpu=0: kmap p0; kunmap p0\n"
			    "task B cpu=1: kmap p1\n";

	cr_assert(program_parse(&program, lines, strlen(lines), &error));
	program.calm_after = 12;
	record = record_run(&program);
	cr_expect_eq(record->result.calm_since, 13);
	cr_expect_eq(entry_of(record, ENTRY_CALM, "calm: no more")->step, 13);
	text = printed(record, trace_print_table);
	cr_expect_not_null(strstr(text, "-- calm: no more choices, all in "
					"turn"),
			   "%s", text);
	free(text);
	text = printed(record, trace_print_json);
	cr_expect_not_null(strstr(text, "\"step\":13,\"kind\":\"calm\""), "%s",
			   text);
	cr_expect_not_null(strstr(text, "\"why\":\"the sentence\""), "%s",
			   text);
	free(text);
	record_free(record);
}
