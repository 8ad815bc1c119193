/* SPDX-License-Identifier: MIT */
#include "stress/program/program_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILE (64 * 1024)

/* What is read, what it is called, and who reads it. */
struct source {
	const char *name;
	const char *who;
	size_t len;
	char data[MAX_FILE];
};

bool program_file_is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* A buffer that is filled, without libc. */
struct line {
	char *buf;
	size_t size;
	size_t len;
};

static void append(struct line *l, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++, l->len++)
		if (l->len < l->size)
			l->buf[l->len] = text[i];
}

bool program_as_pipe(const struct program *program, char *buf, size_t size)
{
	static char text[MAX_FILE];
	struct line l = { .buf = buf, .size = size };
	size_t len = program_print(program, text, sizeof(text));

	append(&l, "printf '%s\\n' '", 15);
	for (size_t i = 0; i < len && i < sizeof(text); i++) {
		if (text[i] != '\n')
			append(&l, text + i, 1);
		else if (i + 1 < len)
			append(&l, "' '", 3);
	}
	append(&l, "' | ", 5); /* with its NUL */
	return len < sizeof(text) && l.len <= size;
}

static bool complain(const struct source *s, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", s->who, s->name, what);
	return false;
}

static bool read_all(struct source *s, FILE *file)
{
	s->len = fread(s->data, 1, sizeof(s->data), file);
	if (ferror(file))
		return complain(s, strerror(errno));
	if (s->len == 0)
		return complain(s, "is empty, which is no program");
	return s->len < sizeof(s->data) ||
	       complain(s, "is larger than any program");
}

static bool read_source(struct source *s, const char *path)
{
	FILE *file;
	bool good;

	if (program_file_is_stdin(path))
		return read_all(s, stdin);
	file = fopen(path, "rb");
	if (!file)
		return complain(s, strerror(errno));
	good = read_all(s, file);
	fclose(file);
	return good;
}

/* Where it is wrong; and if it is nothing like a text, what else there is. */
static bool refuse(const struct source *s, bool bytes,
		   const struct program_error *error)
{
	bool hint = !bytes && !program_is_text(s->data, s->len);

	fprintf(stderr, "%s:%u: %s%s\n", s->name, error->line, error->expected,
		hint ? "; an input of a fuzz target is read with --bytes" : "");
	return false;
}

bool program_read(struct program *program, const char *path, bool bytes,
		  const char *who)
{
	static struct source s;
	struct program_error error = { .line = 1 };
	bool good;

	s.who = who;
	s.name = program_file_is_stdin(path) ? "standard input" : path;
	if (!read_source(&s, path))
		return false;
	good = bytes ? program_load(program, s.data, s.len, &error)
		     : program_parse(program, s.data, s.len, &error);
	if (!good)
		return refuse(&s, bytes, &error);
	if (error.expected[0])
		complain(&s, error.expected);
	return true;
}
