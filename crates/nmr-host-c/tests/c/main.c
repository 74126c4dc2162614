/*
 * Uses the embedded registrar as a C program does. Prints a line for each check; exits with 0 if
 * all passed. An argument is the policy.
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "checks.h"
#include "nmr_host.h"

/* Started and stopped before the bystanders, who get its places in the registrar's tables. */
static struct pair stale;
static struct pair bystanders;

/* Starts a pair and stops it, keeping its handles. */
static void make_stale(void)
{
    HANDLE client_binding;
    HANDLE provider_binding;
    pair_start(&stale);
    client_binding = stale.client.binding;
    provider_binding = stale.provider.binding;
    check_that(pair_stop(&stale), "a pair starts and stops");
    stale.client.binding = client_binding;
    stale.provider.binding = provider_binding;
}

static void check_end_of_all(void)
{
    check_begin("a registration that was not closed", NULL);
    check_status(STATUS_PENDING, NmrDeregisterClient(bystanders.client.handle));
    check_status(STATUS_SUCCESS, NmrWaitForClientDeregisterComplete(bystanders.client.handle));
    check_that(nmr_host_finish() == 1, "is the only one");
    check_report(73);
    check_end();

    check_begin("the end", NULL);
    check_status(STATUS_PENDING, NmrDeregisterProvider(bystanders.provider.handle));
    check_status(STATUS_SUCCESS, NmrWaitForProviderDeregisterComplete(bystanders.provider.handle));
    check_that(bystanders.client.cleaned == 1 && bystanders.provider.cleaned == 1,
               "the bystanders were detached once");
    check_that(nmr_host_finish() == 0, "there is nothing to report");
    check_end();
}

int main(int argc, char **argv)
{
    bool strict = argc > 1 && strstr(argv[1], "mode=strict") != NULL;
    if (argc > 1 && !nmr_host_set_policy(argv[1])) {
        return 2;
    }
    check_begin("bystanders", NULL);
    make_stale();
    pair_start(&bystanders);
    check_that(pair_is_well(&bystanders), "they call each other");
    check_no_report();
    check_end();

    check_life();
    check_characteristics(strict, &bystanders);
    check_handles(&stale, &bystanders);
#if defined(__linux__) && defined(__x86_64__)
    check_wrapped();
#endif
    check_inspection(&bystanders);
    check_faults(&bystanders);
    check_end_of_all();
    printf("%u failed\n", check_failures());
    return check_failures() == 0 ? 0 : 1;
}
