/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include "stress/process/write_whole.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool write_whole(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		text += done;
		len -= (size_t)done;
	}
	return true;
}

bool write_whole_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool whole = fd >= 0 && write_whole(fd, text, len);

	if (fd >= 0 && close(fd) == 0 && whole)
		return true;
	/* Half a program may be one, too: another. */
	if (fd >= 0)
		unlink(path);
	return false;
}
