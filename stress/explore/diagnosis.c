/* SPDX-License-Identifier: MIT */
#include "stress/explore/explain/explain.h"

enum exec_verdict trace_program(const struct program *program,
				enum trace_format format,
				struct controlled_result *result)
{
	static void (*const print[])(FILE *out, const struct record *record) = {
		[TRACE_TABLE] = trace_print_table,
		[TRACE_FULL] = trace_print_full,
		[TRACE_JSON] = trace_print_json,
		[TRACE_HTML] = trace_print_html,
	};
	struct record *record = record_run(program);
	const char *note = NULL;

	if (format != TRACE_NONE) {
		record->why = explain_record(record);
		note = sources_load(record);
		print[format](stdout, record);
	}
	if (note)
		fprintf(stderr, "explore: %s\n", note);
	*result = record->result;
	record_free(record);
	return result->exec.verdict;
}

const char *explain_program(const struct program *program)
{
	struct record *record = record_run(program);
	const char *sentence = explain_record(record);

	record_free(record);
	return sentence;
}
