/* Checks: one line of output for each, and a count of those that failed. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "netioddk.h"

/* Begins a check. Its name is "what" or "what: detail". Earlier reports are forgotten. */
void check_begin(const char *what, const char *detail);

/* A function answered what it should. */
void check_status(NTSTATUS expected, NTSTATUS actual);

/* There is one report, of this rule. */
void check_report(unsigned rule);

/* Whether the first report has this in its text. */
bool check_report_has(const char *part);

/* There is no report. */
void check_no_report(void);

/* Something else is as it should be. */
void check_that(bool is_so, const char *what);

/*
 * Ends a check and prints it: "pass: name", with the rule that was reported if there is one, or
 * "FAIL: name" after a line for each reason.
 */
void check_end(void);

/* How many checks failed. */
unsigned check_failures(void);

#endif
