/* SPDX-License-Identifier: MIT */

#include "stress/kernel/outcome.h"

#include <highmem/format.h>

#define LINE_BYTES 240
#define ROOM_FOR_ONE 80 /* what one more piece takes at most */

static struct {
	const char *name;
	void (*say)(const char *line);
	char line[LINE_BYTES]; /* operations, not yet said */
	size_t len;
} out;

static void say(const char *format, ...)
{
	char line[LINE_BYTES];
	size_t len = hm_format(line, sizeof(line), "= %s ", out.name);
	va_list args;

	va_start(args, format);
	hm_vformat(line + len, sizeof(line) - len, format, args);
	va_end(args);
	out.say(line);
}

/* ---- Operations ------------------------------------------------------------ */

static void flush_line(void)
{
	if (out.len)
		out.say(out.line);
	out.len = 0;
}

/* A word more on the line that begins with @what. */
static void add(const char *what, const char *format, ...)
{
	va_list args;

	if (!out.len)
		out.len = hm_format(out.line, sizeof(out.line), "= %s %s",
				    out.name, what);
	va_start(args, format);
	out.len += hm_vformat(out.line + out.len, sizeof(out.line) - out.len,
			      format, args);
	va_end(args);
	if (out.len + ROOM_FOR_ONE > sizeof(out.line))
		flush_line();
}

static void on_op(void *unused, const char *task, const char *op,
		  const char *outcome)
{
	(void)unused;
	(void)op;
	add("did", " %s%c", task, outcome[0]);
}

/* Copy @sentence with 0x* for each hexadecimal number. */
static void mask_numbers(char *to, size_t size, const char *sentence)
{
	size_t len = 0;

	while (*sentence && len + 4 < size) {
		to[len++] = *sentence++;
		if (to[len - 1] != '0' || *sentence != 'x')
			continue;
		to[len++] = *sentence++;
		to[len++] = '*';
		while ((*sentence >= '0' && *sentence <= '9') ||
		       (*sentence >= 'a' && *sentence <= 'f'))
			sentence++;
	}
	to[len] = '\0';
}

static void on_report(void *unused, const char *sentence)
{
	char masked[160];

	(void)unused;
	mask_numbers(masked, sizeof(masked), sentence);
	flush_line();
	say("said %s", masked);
}

/* ---- The end ----------------------------------------------------------------- */

static void say_end(const struct exec_result *result)
{
	static const char *const verdicts[] = {
		[EXEC_OK] = "ok",
		[EXEC_DEADLOCK] = "deadlock",
		[EXEC_BUG] = "BUG",
	};

	flush_line();
	say("verdict %s, performed %u, skipped %u", verdicts[result->verdict],
	    result->nr_performed, result->nr_skipped);
	if (result->verdict != EXEC_OK)
		on_report(NULL, result->sentence);
	say("pages %x.%x", (uint32_t)(result->contents >> 32),
	    (uint32_t)result->contents);
	for (unsigned int s = 0; s < HM_NR_STATS; s++)
		if (result->stats[s])
			add("counted", " %s %u", highmem_stat_name(s),
			    result->stats[s]);
	flush_line();
}

const char *outcome_of(const char *name, const struct program *program,
		       void (*say_line)(const char *line))
{
	static const struct exec_options options = {
		.trace = on_op,
		.report = on_report,
		.contents = true,
	};
	static struct exec_result result;

	out.name = name;
	out.say = say_line;
	out.len = 0;
	exec_program(program, &options, &result);
	say_end(&result);
	return result.verdict == EXEC_BUG ? result.sentence : NULL;
}

const struct program *outcome_plain(const struct program *program, bool pae,
				    bool one_cpu)
{
	static struct program plain;

	plain = *program;
	plain.machine.pae = pae;
	plain.machine.nested_irqs = false;
	plain.machine.sparse_cpus = false;
	plain.machine.full_flush = false;
	plain.machine.holes = false; /* it has its own */
	if (!one_cpu)
		return &plain;
	plain.machine.nr_cpus = 1;
	for (unsigned int t = 0; t < PROGRAM_MAX_TASKS; t++)
		plain.task_cpu[t] = 0;
	for (unsigned int i = 0; i < PROGRAM_MAX_IRQS; i++)
		plain.irq_cpu[i] = 0;
	return &plain;
}
