/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stress/process/write_whole.h"
#include "stress/torture/torture.h"

static int log_fd = -1;
static bool lost; /* sticky */

bool say_open_log(const char *path)
{
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (log_fd < 0)
		fprintf(stderr, "torture: --log %s: %s\n", path,
			strerror(errno));
	return log_fd >= 0;
}

static void complain(const char *sentence)
{
	if (!__atomic_exchange_n(&lost, true, __ATOMIC_RELAXED))
		write_whole(STDERR_FILENO, sentence, strlen(sentence));
}

static void log_text(const char *text, size_t len)
{
	if (log_fd >= 0 && !write_whole(log_fd, text, len))
		complain("torture: cannot write to the --log file (is the "
			 "disk full?); the test goes on\n");
}

void say_text(const char *text, size_t len)
{
	if (!write_whole(STDOUT_FILENO, text, len))
		complain("torture: cannot write to standard output (is the "
			 "disk full?); the test goes on\n");
	log_text(text, len);
}

/* A line that is too long is cut, but ends as a line. */
__attribute__((format(printf, 3, 0))) static size_t
format_line(char *line, size_t size, const char *format, va_list args)
{
	int len = vsnprintf(line, size, format, args);

	if (len < 0)
		return 0;
	if ((size_t)len < size)
		return (size_t)len;
	line[size - 2] = '\n';
	return size - 1;
}

void say(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	say_text(line, format_line(line, sizeof(line), format, args));
	va_end(args);
}

void say_detail(const char *format, ...)
{
	char line[512];
	va_list args;
	size_t len;

	va_start(args, format);
	len = format_line(line, sizeof(line), format, args);
	va_end(args);
	if (log_fd >= 0)
		log_text(line, len);
	else
		say_text(line, len);
}

bool say_lost_nothing(void)
{
	return !__atomic_load_n(&lost, __ATOMIC_RELAXED);
}
