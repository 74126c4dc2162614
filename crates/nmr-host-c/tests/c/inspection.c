#include "check.h"
#include "checks.h"
#include "nmr_host.h"

#include <string.h>

static void check_text(void)
{
    char whole[512] = "";
    char part[8];
    uint32_t rule = 0;
    size_t length;

    check_begin("nmr_host_report", "its text fits the buffer or is cut off");
    NmrDeregisterClient(NULL);
    length = nmr_host_report(0, &rule, whole, sizeof whole);
    check_that(rule == 75, "the rule is V-75");
    check_that(length == strlen(whole), "the length is that of the text");
    check_that(strstr(whole, "NmrDeregisterClient") != NULL, "the text names the function");
    check_that(nmr_host_report(0, NULL, NULL, 0) == length, "it can be asked for alone");
    memset(part, '#', sizeof part);
    check_that(nmr_host_report(0, NULL, part, 5) == length, "it is the same when cut off");
    check_that(memcmp(part, "V-75\0###", 8) == 0, "nothing is written after the buffer");
    check_that(nmr_host_report(0, NULL, part, 1) == length && part[0] == '\0', "only a zero fits");
    check_report(75);
    check_end();

    check_begin("nmr_host_report", "there is no such report");
    rule = 7;
    part[0] = '#';
    check_that(nmr_host_report(0, &rule, part, sizeof part) == 0, "the length is 0");
    check_that(rule == 7 && part[0] == '\0', "only a zero is written");
    check_no_report();
    check_end();
}

static void check_irql(const struct pair *bystanders)
{
    struct module module = {.binding = &module};
    HANDLE handle;

    check_begin("nmr_host_set_irql", "registering at DISPATCH_LEVEL");
    check_that(nmr_host_irql() == 0, "a thread begins at PASSIVE_LEVEL");
    nmr_host_set_irql(2);
    check_that(nmr_host_irql() == 2, "the level is set");
    NmrRegisterClient(&client_characteristics, &module, &handle);
    check_report(10);
    nmr_host_set_irql(0);
    NmrDeregisterClient(handle);
    NmrWaitForClientDeregisterComplete(handle);
    check_that(pair_is_well(bystanders), "the bystanders are well");
    check_end();
}

/* What a listener gets. */
struct heard {
    unsigned reports;
    NMR_HOST_REPORT last;
};

static void listen(const NMR_HOST_REPORT *report, void *context)
{
    struct heard *heard = context;
    heard->reports++;
    heard->last = *report;
    check_that(strncmp(report->text, "V-75 error in NmrDeregisterProvider", 35) == 0,
               "the text is that of the report");
}

static void check_listener(void)
{
    struct heard heard = {0};

    check_begin("nmr_host_on_report", "a function gets the report");
    nmr_host_on_report(listen, &heard);
    NmrDeregisterProvider(NULL);
    check_that(heard.reports == 1, "it was called once");
    check_that(heard.last.rule == 75 && heard.last.error, "the rule is V-75, an error");
    check_report(75);
    check_end();

    check_begin("nmr_host_on_report", "until it is taken away");
    nmr_host_on_report(NULL, NULL);
    NmrDeregisterProvider(NULL);
    check_that(heard.reports == 1, "it was not called again");
    check_report(75);
    check_end();
}

static void check_unloading(void)
{
    static struct module module = {.binding = &module};
    static const char other[] = "not code of a callback";
    /* C has no conversion from a function to an address of data. */
    union {
        NPI_CLIENT_ATTACH_PROVIDER_FN *function;
        const void *address;
    } code = {.function = client_characteristics.ClientAttachProvider};
    HANDLE handle;

    check_begin("nmr_host_unloading", "a registration has a callback there");
    check_that(nmr_host_unloading(other, sizeof other) == 0, "there is nothing elsewhere");
    check_that(nmr_host_unloading(code.address, 1) == 1, "the client of the bystanders");
    check_report(79);
    check_end();

    check_begin("nmr_host_enter", "and the other brackets do nothing by themselves");
    NmrRegisterClient(&client_characteristics, &module, &handle);
    nmr_host_enter();
    nmr_host_leave();
    nmr_host_enter_unreferenced();
    nmr_host_lock_acquiring(&module);
    nmr_host_lock_abandoned(&module);
    nmr_host_lock_acquiring(&module);
    nmr_host_lock_acquired(&module);
    nmr_host_may_block();
    nmr_host_lock_released(&module);
    nmr_host_leave();
    NmrDeregisterClient(handle);
    NmrWaitForClientDeregisterComplete(handle);
    check_no_report();
    check_end();
}

static void check_finish(void)
{
    struct module module = {.binding = &module};
    size_t others = nmr_host_registration_count();
    HANDLE handle;

    check_begin("nmr_host_registration_count", NULL);
    NmrRegisterClient(&client_characteristics, &module, &handle);
    check_that(nmr_host_registration_count() == others + 1, "a registration counts");
    NmrDeregisterClient(handle);
    check_that(nmr_host_registration_count() == others + 1, "until it was waited for");
    NmrWaitForClientDeregisterComplete(handle);
    check_that(nmr_host_registration_count() == others, "and no longer");
    check_no_report();
    check_end();
}

void check_inspection(const struct pair *bystanders)
{
    check_text();
    check_irql(bystanders);
    check_finish();
    check_listener();
    check_unloading();

    check_begin("nmr_host_set_policy", "too late");
    check_that(!nmr_host_set_policy("mode=strict,report=print,seed=77"), "it is refused");
    check_no_report();
    check_end();
}
