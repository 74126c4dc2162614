#include "check.h"
#include "checks.h"
#include "nmr_host.h"

/* Calls between the two that break rules, each reported. The modules of later checks are watched too. */
void check_wrapped(void)
{
    struct nmr_host_interface interface = {
        .npi = &npi,
        .provider = {.size = sizeof(PROVIDER_DISPATCH), .functions = 1},
    };
    const PROVIDER_DISPATCH *dispatch;
    static struct pair pair;

    check_begin("nmr_host_wrap", "the client gets a copy of the provider's table");
    pair_start(&pair);
    dispatch = pair.client.provider_dispatch;
    check_that(pair_stop(&pair), "a pair starts and stops");
    check_that(nmr_host_wrap(&interface, false), "calls can be watched here");
    pair_start(&pair);
    check_that(pair.client.provider_dispatch != dispatch, "it is another one");
    check_that(pair_is_well(&pair), "it works");
    check_no_report();
    check_end();

    check_begin("a call", "while the detach of its caller is pending");
    pair.client.pends = true;
    check_status(STATUS_PENDING, NmrDeregisterProvider(pair.provider.handle));
    dispatch = pair.client.provider_dispatch;
    check_that(dispatch->Double(&pair.provider, 4) == 8, "it is answered");
    check_report(48);
    check_end();

    check_begin("a call", "after its caller has completed");
    NmrClientDetachProviderComplete(pair.client.binding);
    check_that(dispatch->Double(&pair.provider, 5) == 10, "it is answered");
    check_report(50);
    check_end();

    check_begin("nmr_host_wrap", "an interface with closing calls");
    check_status(STATUS_SUCCESS, NmrWaitForProviderDeregisterComplete(pair.provider.handle));
    check_status(STATUS_PENDING, NmrDeregisterClient(pair.client.handle));
    check_status(STATUS_SUCCESS, NmrWaitForClientDeregisterComplete(pair.client.handle));
    check_that(nmr_host_wrap(&interface, true), "it is declared again");
    pair_start(&pair);
    pair.client.pends = true;
    check_status(STATUS_PENDING, NmrDeregisterClient(pair.client.handle));
    check_that(pair.client.provider_dispatch->Double(&pair.provider, 6) == 12, "it is answered");
    NmrClientDetachProviderComplete(pair.client.binding);
    check_status(STATUS_SUCCESS, NmrWaitForClientDeregisterComplete(pair.client.handle));
    check_status(STATUS_PENDING, NmrDeregisterProvider(pair.provider.handle));
    check_status(STATUS_SUCCESS, NmrWaitForProviderDeregisterComplete(pair.provider.handle));
    check_end();
}
