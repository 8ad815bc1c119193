/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress/torture/torture.h"

/*
 * The explorer is started by a helper, a process forked before there are any
 * threads. So whoever speaks the last words, be it a signal handler or a
 * sanitizer that holds locks, needs no more than send() and recv().
 */

static int helper = -1; /* our end; the helper goes when it is closed */

static struct {
	const char *explorer;
	char seed[48];
	char time[48];
	char out[PATH_MAX + 16];
} with;

/* ---- In the helper ------------------------------------------------------- */

/* What the explorer says is kept until it is known whether it counts. */
struct words {
	char *text;
	size_t len;
	size_t room;
};

static void hear(struct words *words, int fd)
{
	ssize_t got = 1;

	words->len = 0;
	while (got > 0 || (got < 0 && errno == EINTR)) {
		if (words->room - words->len < 4096) {
			char *text = realloc(words->text,
					     2 * words->room + 8192);

			if (!text)
				return;
			words->text = text;
			words->room = 2 * words->room + 8192;
		}
		got = read(fd, words->text + words->len,
			   words->room - words->len - 1);
		if (got > 0)
			words->len += (size_t)got;
	}
	words->text[words->len] = '\0';
}

static _Noreturn void become_explorer(const char *strategy, const char *file,
				      int out)
{
	dup2(out, STDOUT_FILENO);
	execl(with.explorer, with.explorer, "run", strategy, with.time,
	      with.seed, with.out, "--", file, (char *)NULL);
	fprintf(stderr, "torture: %s: %s\n", with.explorer, strerror(errno));
	_exit(EXIT_USAGE);
}

/* Returns its exit status; -1 if it has none. */
static int run_explorer(const char *strategy, const char *file,
			struct words *words)
{
	int status;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become_explorer(strategy, file, ends[1]);
	close(ends[1]);
	if (pid > 0)
		hear(words, ends[0]);
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/*
 * A finding that takes more choices than a program holds has no replay line,
 * and so it is none. The strategies after the first leave the default less
 * often.
 */
static bool find_again(const char *file)
{
	static const char *const strategies[] = { "--strategy=portfolio",
						  "--strategy=pct",
						  "--strategy=dfs" };
	struct words words = { .room = 0 };
	int status = EXIT_BUG;

	say("highmem-torture: !!! the explorer looks for it in one round of "
	    "the program, for up to %s\n",
	    strchr(with.time, '=') + 1);
	for (size_t i = 0; status == EXIT_BUG && i < 3; i++) {
		status = run_explorer(strategies[i], file, &words);
		if (status == EXIT_BUG && words.text &&
		    strstr(words.text, "\nreplay: ")) {
			say_text(words.text, words.len);
			return true;
		}
	}
	if (status == EXIT_FINE)
		say("highmem-torture: !!! the explorer did not find it in "
		    "that time; below is how to run the threads again\n");
	else
		say("highmem-torture: !!! %s gave no finding that can be "
		    "replayed (status %d); below is how to run the threads "
		    "again\n",
		    with.explorer, status);
	return false;
}

/* Ctrl-C goes to all: the explorer ends then, and we still pass that on. */
static _Noreturn void serve(int fd)
{
	char file[PATH_MAX];

	signal(SIGINT, SIG_IGN);
	while (recv(fd, file, sizeof(file), 0) > 0) {
		bool found = find_again(file);

		send(fd, &found, sizeof(found), MSG_NOSIGNAL);
	}
	_exit(EXIT_FINE);
}

/* ---- In the torture ------------------------------------------------------ */

/* Where Bazel builds it, seen from where Bazel builds us. */
static bool find_beside_us(char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len < 0)
		return false;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return (size_t)snprintf(path, size, "%s/../explore/explore", self) <
	       size;
}

static bool find_explorer(const struct torture_options *options)
{
	static char path[PATH_MAX];

	with.explorer = options->explorer;
	if (!with.explorer && find_beside_us(path, sizeof(path)))
		with.explorer = path;
	if (with.explorer && access(with.explorer, X_OK) == 0)
		return true;
	fprintf(stderr,
		"torture: --refind: no explorer at %s; build "
		"//stress/explore:explore and name it with --explorer PATH\n",
		with.explorer ? with.explorer : "its usual place");
	return false;
}

bool refind_start(const struct torture_options *options)
{
	int ends[2];
	pid_t pid;

	if (!find_explorer(options))
		return false;
	snprintf(with.seed, sizeof(with.seed), "--seed=%" PRIu64,
		 options->seed);
	snprintf(with.time, sizeof(with.time), "--time=%.1fs",
		 (double)options->refind_ns / 1e9);
	snprintf(with.out, sizeof(with.out), "--out=%s", options->out_dir);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
		pid = fork();
		if (pid == 0) {
			close(ends[0]);
			serve(ends[1]);
		}
		close(ends[1]);
		helper = ends[0];
		if (pid > 0)
			return true;
	}
	fprintf(stderr, "torture: --refind: %s\n", strerror(errno));
	return false;
}

bool refind(const char *file)
{
	bool found = false;
	ssize_t got;

	if (helper < 0 ||
	    send(helper, file, strlen(file) + 1, MSG_NOSIGNAL) < 0)
		return false;
	do
		got = recv(helper, &found, sizeof(found), 0);
	while (got < 0 && errno == EINTR);
	return got == sizeof(found) && found;
}
