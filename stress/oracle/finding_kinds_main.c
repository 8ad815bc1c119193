/* SPDX-License-Identifier: MIT */

/*
 * For tests: each line of standard input is a sentence; for each, its kind, a
 * tab, and what finding_print() says of it.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stress/oracle/finding.h"

int main(void)
{
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		printf("%s\t", finding_kind(line));
		if (fflush(stdout) != 0)
			return 1;
		finding_print(STDOUT_FILENO, line);
	}
	return 0;
}
