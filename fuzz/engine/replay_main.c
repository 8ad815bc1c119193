/* SPDX-License-Identifier: MIT */
/*
 * Replay engine: a main() for a fuzz target that needs no libFuzzer, hence no
 * clang. It runs LLVMFuzzerTestOneInput() once on every file it is given.
 *
 * Each input gets a child process of its own. An input that crashes is then
 * named, those after it still run, and the count at the end is true. With
 * --no-fork everything happens in this process, which is what a debugger wants.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress/process/command.h"

enum {
	EXIT_USAGE = 1,
	/*
	 * How a child ends. Not with 0: a target that calls exit(0) has not
	 * finished its input.
	 */
	EXIT_FINISHED = 64,
	EXIT_REJECTED = 65, /* the target returned -1 */
	EXIT_STALLED = 70,
	EXIT_BUG = 77,

	TIMEOUT_SECONDS = 30,
};

/* The fuzz target; the second one is optional, as it is with libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

struct input {
	uint8_t *data;
	size_t size;
};

struct inputs {
	char **path;
	size_t nr;
	size_t room;
};

static bool no_fork;
static unsigned int timeout = TIMEOUT_SECONDS; /* for one input, 0: no limit */

static const struct option_row rows[] = {
	{ .name = "no-fork",
	  .kind = OPTION_SWITCH,
	  .into = &no_fork,
	  .help = "all inputs in one process, for a debugger" },
	{ .name = "timeout",
	  .kind = OPTION_UINT,
	  .high = 86400,
	  .value = "SECONDS",
	  .into = &timeout,
	  .help = "limit for one input; default 30, 0: none" },
};

static const struct command_verb inputs_verb = {
	.files = "[FILE|DIRECTORY]...",
	.max_files = COMMAND_MANY,
};

static const struct command command = {
	.name = "replay",
	.help = "Runs the fuzz target once on every file named, and on every file below\n"
		"every directory named. With none named, the directories are taken from\n"
		"$FUZZER_SEED_CORPUS_DIR and $FUZZER_OUTPUT_CORPUS_DIR.\n",
	.verbs = &inputs_verb,
	.nr_verbs = 1,
	.options = rows,
	.nr_options = sizeof(rows) / sizeof(rows[0]),
	.after = "Exit status: 0 all passed, 77 an input failed, 70 an input took too\n"
		 "long, 1 a wrong argument or a file that cannot be read.",
};

__attribute__((noreturn, format(printf, 1, 2))) static void
die(const char *format, ...)
{
	va_list args;

	fputs("replay: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_USAGE);
}

static void complain(const char *path, const char *why)
{
	fprintf(stderr, "replay: cannot read %s: %s\n", path, why);
}

static void inputs_add(struct inputs *inputs, const char *path)
{
	char *copy = strdup(path);

	if (inputs->nr == inputs->room) {
		size_t room = inputs->room ? 2 * inputs->room : 64;
		char **more = realloc(inputs->path, room * sizeof(*more));

		if (!more)
			die("out of memory after %zu inputs", inputs->nr);
		inputs->path = more;
		inputs->room = room;
	}
	if (!copy)
		die("out of memory after %zu inputs", inputs->nr);
	inputs->path[inputs->nr++] = copy;
}

static void inputs_free(struct inputs *inputs)
{
	while (inputs->nr)
		free(inputs->path[--inputs->nr]);
	free(inputs->path);
}

static void collect(struct inputs *inputs, const char *path);

static void collect_directory(struct inputs *inputs, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		die("cannot open the directory %s: %s", path, strerror(errno));
	while ((entry = readdir(dir))) {
		size_t room = strlen(path) + strlen(entry->d_name) + 2;
		char *child;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		child = malloc(room);
		if (!child)
			die("out of memory after %zu inputs", inputs->nr);
		snprintf(child, room, "%s/%s", path, entry->d_name);
		collect(inputs, child);
		free(child);
	}
	closedir(dir);
}

static void collect(struct inputs *inputs, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		die("cannot find %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		collect_directory(inputs, path);
	else if (S_ISREG(st.st_mode))
		inputs_add(inputs, path);
	else
		die("%s is neither a file nor a directory", path);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool load_bytes(struct input *input, FILE *file, const char *path)
{
	input->data = malloc(input->size ? input->size : 1);
	if (!input->data) {
		complain(path, "it is too large for memory");
		return false;
	}
	errno = 0;
	if (fread(input->data, 1, input->size, file) == input->size)
		return true;
	complain(path, errno ? strerror(errno) : "it is cut short");
	free(input->data);
	return false;
}

/*
 * The buffer has exactly the size of the input, so that AddressSanitizer sees
 * a target that reads one byte too many.
 */
static bool load(struct input *input, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	bool ok = false;

	if (!file || fstat(fileno(file), &st)) {
		complain(path, strerror(errno));
	} else {
		input->size = (size_t)st.st_size;
		ok = load_bytes(input, file, path);
	}
	if (file)
		fclose(file);
	return ok;
}

static int run(const struct input *input)
{
	int ret = LLVMFuzzerTestOneInput(input->data, input->size);

	return ret == 0 ? EXIT_FINISHED : EXIT_REJECTED;
}

/* Turns a child's end into our exit status, and says what happened. */
static int judge(const char *path, int status)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (!signal && WEXITSTATUS(status) == EXIT_FINISHED) {
		printf("ok     %s\n", path);
		return EXIT_SUCCESS;
	}
	if (signal == SIGALRM) {
		printf("FAILED %s: not finished after %u s\n", path, timeout);
		return EXIT_STALLED;
	}
	if (signal)
		printf("FAILED %s: killed by signal %d (%s)\n", path, signal,
		       strsignal(signal));
	else if (WEXITSTATUS(status) == EXIT_REJECTED)
		printf("FAILED %s: the target rejects it\n", path);
	else
		printf("FAILED %s: exit status %d\n", path,
		       WEXITSTATUS(status));
	return EXIT_BUG;
}

static int run_in_child(const struct input *input, const char *path)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("cannot start a process for %s: %s", path, strerror(errno));
	if (pid == 0) {
		alarm(timeout);
		/* exit(), not _exit(): LeakSanitizer works at exit */
		exit(run(input));
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("lost the process of %s: %s", path,
			    strerror(errno));
	return judge(path, status);
}

static int run_here(const struct input *input, const char *path)
{
	int ret;

	printf("run    %s\n", path);
	fflush(stdout);
	ret = run(input);
	if (ret == EXIT_FINISHED)
		return EXIT_SUCCESS;
	printf("FAILED %s: the target rejects it\n", path);
	return EXIT_BUG;
}

static int run_file(const char *path)
{
	struct input input;
	int ret;

	if (!load(&input, path))
		return EXIT_USAGE;
	ret = no_fork ? run_here(&input, path) : run_in_child(&input, path);
	free(input.data);
	return ret;
}

/* A crash outranks a stall, and a stall outranks an unreadable file. */
static int worse(int a, int b)
{
	return a > b ? a : b;
}

static int run_all(const struct inputs *inputs)
{
	size_t failed = 0;
	int result = EXIT_SUCCESS;

	for (size_t i = 0; i < inputs->nr; i++) {
		int ret = run_file(inputs->path[i]);

		failed += ret != EXIT_SUCCESS;
		result = worse(result, ret);
	}
	printf("cases: %zu passed, %zu failed\n", inputs->nr - failed, failed);
	return result;
}

static void collect_from_environment(struct inputs *inputs)
{
	static const char *const names[] = {
		"FUZZER_SEED_CORPUS_DIR",
		"FUZZER_OUTPUT_CORPUS_DIR",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *dir = getenv(names[i]);

		if (dir && *dir)
			collect(inputs, dir);
	}
}

int main(int argc, char **argv)
{
	struct inputs inputs = { 0 };
	struct command_line line;
	int ret;

	ret = command_parse(&command, argc, argv, &line);
	if (ret >= 0)
		return ret;
	argc = 1 + line.nr_files;
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 0; i < line.nr_files; i++)
		collect(&inputs, line.files[i]);
	if (!line.nr_files)
		collect_from_environment(&inputs);
	if (!inputs.nr)
		die("no inputs: name a file or a directory that holds some");
	qsort(inputs.path, inputs.nr, sizeof(*inputs.path), compare_paths);
	ret = run_all(&inputs);
	inputs_free(&inputs);
	return ret;
}
