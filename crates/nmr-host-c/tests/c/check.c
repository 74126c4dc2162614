#include "check.h"

#include <stdio.h>
#include <string.h>

#include "nmr_host.h"

static char name[160];
static unsigned reported_rule;
static bool failed;
static unsigned failures;

void check_begin(const char *what, const char *detail)
{
    snprintf(name, sizeof name, "%s%s%s", what, detail != NULL ? ": " : "",
             detail != NULL ? detail : "");
    reported_rule = 0;
    failed = false;
    nmr_host_clear_reports();
}

void check_that(bool is_so, const char *what)
{
    if (!is_so) {
        printf("not so: %s\n", what);
        failed = true;
    }
}

void check_status(NTSTATUS expected, NTSTATUS actual)
{
    if (actual != expected) {
        printf("status 0x%08x instead of 0x%08x\n", (unsigned)actual, (unsigned)expected);
        failed = true;
    }
}

static void print_reports(size_t count)
{
    char text[512];
    for (size_t index = 0; index < count; index++) {
        nmr_host_report(index, NULL, text, sizeof text);
        printf("report: %s\n", text);
    }
}

void check_report(unsigned rule)
{
    size_t count = nmr_host_report_count();
    char id[8];
    char text[512] = "";
    uint32_t found = 0;
    nmr_host_report(0, &found, text, sizeof text);
    snprintf(id, sizeof id, "V-%02u ", rule % 100);
    if (count != 1 || found != rule || strncmp(text, id, strlen(id)) != 0) {
        printf("%zu reports instead of one of V-%02u\n", count, rule);
        print_reports(count);
        failed = true;
    }
    reported_rule = rule;
}

bool check_report_has(const char *part)
{
    char text[512] = "";
    nmr_host_report(0, NULL, text, sizeof text);
    return strstr(text, part) != NULL;
}

void check_no_report(void)
{
    size_t count = nmr_host_report_count();
    check_that(count == 0, "there is no report");
    print_reports(count);
}

void check_end(void)
{
    printf("%s: %s", failed ? "FAIL" : "pass", name);
    if (reported_rule != 0) {
        printf(": V-%02u", reported_rule);
    }
    printf("\n");
    fflush(stdout);
    failures += failed;
}

unsigned check_failures(void)
{
    return failures;
}
