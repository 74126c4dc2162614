#include "check.h"
#include "checks.h"
#include "nmr_host.h"

#include <string.h>

/* Registers a client and a provider, and ends those that could be. Returns how many could. */
static unsigned come_and_go(struct pair *pair)
{
    NTSTATUS client = NmrRegisterClient(&client_characteristics, &pair->client, &pair->client.handle);
    NTSTATUS provider =
        NmrRegisterProvider(&provider_characteristics, &pair->provider, &pair->provider.handle);
    check_that((client == STATUS_SUCCESS) == (pair->client.handle != NULL), "the client's handle");
    check_that((provider == STATUS_SUCCESS) == (pair->provider.handle != NULL),
               "the provider's handle");
    if (client == STATUS_SUCCESS) {
        check_status(STATUS_PENDING, NmrDeregisterClient(pair->client.handle));
        check_status(STATUS_SUCCESS, NmrWaitForClientDeregisterComplete(pair->client.handle));
    }
    if (provider == STATUS_SUCCESS) {
        check_status(STATUS_PENDING, NmrDeregisterProvider(pair->provider.handle));
        check_status(STATUS_SUCCESS, NmrWaitForProviderDeregisterComplete(pair->provider.handle));
    }
    return (client == STATUS_SUCCESS) + (provider == STATUS_SUCCESS);
}

void check_faults(const struct pair *bystanders)
{
    size_t others = nmr_host_registration_count();
    unsigned registrations = 0;
    unsigned attaches = 0;
    uint64_t n;

    check_begin("nmr_host_fail_call", "each call that may fail is made to");
    for (n = 1;; n++) {
        static struct pair pair;
        unsigned registered;
        memset(&pair, 0, sizeof pair);
        check_that(nmr_host_fail_call(n, STATUS_INSUFFICIENT_RESOURCES), "it is a failure");
        registered = come_and_go(&pair);
        check_that(pair.client.attached == pair.provider.attached, "both attach or none");
        check_that(pair.client.attached == pair.client.cleaned, "the client is cleaned up");
        check_that(pair.provider.attached == pair.provider.cleaned, "the provider is cleaned up");
        check_that(nmr_host_registration_count() == others, "nothing is left");
        if (nmr_host_will_fail_call()) {
            check_that(registered == 2 && pair.client.attached == 1, "nothing fails in the end");
            break;
        }
        registrations += 2 - registered;
        attaches += registered == 2 && pair.client.attached == 0;
    }
    check_that(registrations == 2, "each registration failed once");
    check_that(attaches == 1, "the attach failed once");
    check_that(pair_is_well(bystanders), "the bystanders do not notice");
    check_that(nmr_host_fail_call(0, STATUS_INSUFFICIENT_RESOURCES), "it is taken back");
    check_that(!nmr_host_will_fail_call(), "nothing is to fail");
    check_no_report();
    check_end();

    check_begin("nmr_host_fail_call", "a success is no failure");
    check_that(!nmr_host_fail_call(1, STATUS_PENDING), "it is not taken");
    check_that(!nmr_host_will_fail_call(), "nothing is to fail");
    check_end();
}
