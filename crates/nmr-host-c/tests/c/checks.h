/* The groups of checks, one in each source file. */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdbool.h>

#include "modules.h"

/* Malformed characteristics are reported, and refused if they cannot be worked with. */
void check_characteristics(bool strict, const struct pair *bystanders);

/*
 * Handles that are null, invented, stale or of the wrong kind are reported and refused. `stale` was
 * started and stopped before the bystanders were started.
 */
void check_handles(const struct pair *stale, const struct pair *bystanders);

/* Attach, detach that pends, completion and cleanup, without a fault. */
void check_life(void);

/* Calls that fail on demand change nothing. */
void check_faults(const struct pair *bystanders);

/* Rules that calls between modules break. Needs a machine on which calls can be watched. */
void check_wrapped(void);

/* The other functions of nmr_host.h. */
void check_inspection(const struct pair *bystanders);

#endif
