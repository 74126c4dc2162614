/*
 * Tests the two modules on the embedded registrar. A test fails if a check fails, if the registrar
 * reports a broken rule, or if something is left behind.
 */
#include <stdio.h>

#include <nmr_host.h>
#include <nmr_kernel.h>

#include "modules.h"

static int failures;

#define CHECK(condition)                                                  \
    do {                                                                  \
        if (!(condition)) {                                               \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            failures++;                                                   \
        }                                                                 \
    } while (0)

/* How often the client was told, and what the test does then. */
static unsigned told;
static void (*then)(void);

static VOID exhausted(ULONG granted)
{
    CHECK(granted <= 100);
    told++;
    if (then != NULL) {
        then();
    }
}

DRIVER_INITIALIZE DriverEntry;
static DRIVER_OBJECT driver;

/* What Windows does when it loads the driver, and when it unloads it. */
static NTSTATUS load(void)
{
    return DriverEntry(&driver, NULL);
}

static void unload(void)
{
    driver.DriverUnload(&driver);
    nmr_kernel_drain();
}

/* The end of a module that a test has registered by itself. */
static void end_client(void)
{
    if (ClientDeregister() == STATUS_PENDING) {
        ClientWait();
    }
}

static void end_provider(void)
{
    if (ProviderDeregister() == STATUS_PENDING) {
        ProviderWait();
    }
}

/* Registers the modules alone, to be told instead of the driver. */
static void start(void)
{
    CHECK(ProviderRegister(100) == STATUS_SUCCESS);
    CHECK(ClientRegister(exhausted) == STATUS_SUCCESS);
}

static void modules_attach_in_both_orders(void)
{
    if (load() != STATUS_SUCCESS) {
        CHECK(!"loaded");
        return;
    }
    CHECK(ClientSend(40) == STATUS_SUCCESS); /* the driver has sent 60 */
    end_provider();
    CHECK(ClientSend(1) == STATUS_DEVICE_NOT_READY);
    CHECK(ProviderRegister(100) == STATUS_SUCCESS);
    CHECK(ClientSend(100) == STATUS_SUCCESS);
    unload();
}

static void a_client_is_told_once(void)
{
    start();
    CHECK(ClientSend(70) == STATUS_SUCCESS);
    CHECK(ClientSend(31) == STATUS_QUOTA_EXCEEDED);
    CHECK(ClientSend(31) == STATUS_QUOTA_EXCEEDED);
    CHECK(told == 1);
    CHECK(ClientSend(30) == STATUS_SUCCESS);
    end_provider();
    end_client();
}

static NTSTATUS provider_left;

static void provider_leaves(void)
{
    provider_left = ProviderDeregister();
}

/* The provider leaves while calls are in progress in both directions. */
static void a_provider_leaves_during_a_call(void)
{
    start();
    then = provider_leaves;
    CHECK(ClientSend(101) == STATUS_QUOTA_EXCEEDED);
    then = NULL;
    CHECK(told == 1);
    CHECK(ClientSend(1) == STATUS_DEVICE_NOT_READY);
    if (provider_left == STATUS_PENDING) {
        ProviderWait();
    }
    end_client();
}

/* Everything that the modules ask for is refused once, until nothing is left to refuse. */
static void nothing_is_lost_when_something_is_refused(void)
{
    unsigned n;
    bool more = true;
    for (n = 1; more; n++) {
        nmr_host_fail_call(n, STATUS_INSUFFICIENT_RESOURCES);
        if (load() == STATUS_SUCCESS) {
            unload();
        }
        more = !nmr_host_will_fail_call();
    }
    CHECK(n == 5); /* two registrations and an attach, and a run without a fault */
    nmr_host_fail_call(0, STATUS_INSUFFICIENT_RESOURCES);
    more = true;
    for (n = 1; more; n++) {
        nmr_kernel_fail_allocation(n);
        if (load() == STATUS_SUCCESS) { /* and then they are not attached */
            unload();
        }
        more = !nmr_kernel_will_fail_allocation();
    }
    CHECK(n == 4);
    nmr_kernel_fail_allocation(0);
}

/* A mistake of the test itself, on purpose: its report is expected, not shown, and cleared. */
static void deregistering_twice_is_reported(void)
{
    uint32_t rule = 0;
    nmr_host_on_report(NULL, NULL);
    if (load() != STATUS_SUCCESS) {
        CHECK(!"loaded");
        return;
    }
    CHECK(ProviderDeregister() == STATUS_PENDING);
    unload(); /* deregisters it again, and does not wait for it */
    ProviderWait();
    CHECK(nmr_host_report_count() == 1);
    CHECK(nmr_host_report(0, &rule, NULL, 0) != 0 && rule == 70);
    nmr_host_clear_reports();
}

/* Shows a report where it happens, between the lines of the tests. */
static void show(const NMR_HOST_REPORT *report, void *context)
{
    UNREFERENCED_PARAMETER(context);
    printf("%s\n", report->text);
}

static void run(const char *name, void (*test)(void))
{
    int before = failures;
    told = 0;
    nmr_host_on_report(show, NULL);
    test();
    CHECK(nmr_host_finish() == 0); /* no rule was broken, and all registrations are closed */
    CHECK(nmr_kernel_finish() == 0); /* no pool is left */
    nmr_host_clear_reports();
    printf("%s: %s\n", failures == before ? "pass" : "FAIL", name);
}

#define RUN(test) run(#test, test)

int main(void)
{
    const struct nmr_host_interface quota = {&QUOTA_NPIID,
                                             {sizeof(QUOTA_CLIENT_DISPATCH), 1},
                                             {sizeof(QUOTA_PROVIDER_DISPATCH), 1}};
    setvbuf(stdout, NULL, _IONBF, 0); /* nothing is lost in a crash */
    CHECK(nmr_host_set_policy("mode=strict,memory=checked,watchdog-ms=2000"));
    CHECK(nmr_host_wrap(&quota, false));
    CHECK(nmr_host_name_module(&ClientModuleId, "the client"));
    CHECK(nmr_host_name_module(&ProviderModuleId, "the provider"));

    RUN(modules_attach_in_both_orders);
    RUN(a_client_is_told_once);
    RUN(a_provider_leaves_during_a_call);
    RUN(nothing_is_lost_when_something_is_refused);
    RUN(deregistering_twice_is_reported);
    return failures == 0 ? 0 : 1;
}
