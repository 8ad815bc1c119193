/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "stress/process/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stress/process/write_whole.h"

#define EXIT_BAD 1

void output_outlive_errors(void)
{
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static bool write_and_close(int fd, const char *text, size_t len, bool sync)
{
	bool good = write_whole(fd, text, len) && (!sync || fsync(fd) == 0);
	int why = errno;

	if (close(fd) == 0 && good)
		return true;
	if (!good)
		errno = why;
	return false;
}

static bool remove_again(const char *path)
{
	int why = errno;

	unlink(path);
	errno = why;
	return false;
}

/* Anew: a link of that name, from whomever, is not written through. */
static int open_anew(const char *path)
{
	unlink(path);
	return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

bool output_fits_in(const char *dir)
{
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/.probe-%ld", dir,
			     (long)getpid()) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = open_anew(path);
	if (fd < 0)
		return false;
	/* A full disk has no block for the smallest file. */
	if (!write_and_close(fd, "is there room?\n", 15, true))
		return remove_again(path);
	return unlink(path) == 0;
}

static bool is_no_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

bool output_save(const char *path, const char *text, size_t len)
{
	char part[PATH_MAX];
	int fd;

	if (is_no_file(path)) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		return fd >= 0 && write_and_close(fd, text, len, false);
	}
	if ((size_t)snprintf(part, sizeof(part), "%s.part", path) >=
	    sizeof(part)) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = open_anew(part);
	if (fd < 0)
		return false;
	return (write_and_close(fd, text, len, true) &&
		rename(part, path) == 0) ||
	       remove_again(part);
}

int output_finish(const char *who, int status)
{
	bool lost = ferror(stdout);
	const char *why = "is the disk full?";

	if (fflush(stdout) != 0)
		why = strerror(errno);
	else if (!lost)
		return status;
	fprintf(stderr, "%s: not all could be written to standard output: %s\n",
		who, why);
	return status ? status : EXIT_BAD;
}
