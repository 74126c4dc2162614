#include "check.h"
#include "checks.h"
#include "nmr_host.h"

#include <string.h>

/* Both ends pend, and complete in turn: the second completion cleans up. */
void check_life(void)
{
    static struct pair pair;
    size_t others = nmr_host_registration_count();

    check_begin("a client and a provider attach", NULL);
    pair_start(&pair);
    check_that(pair_is_well(&pair), "they call each other");
    check_that(pair.client.binding != pair.provider.binding, "each end has a handle of its own");
    check_no_report();
    check_end();

    check_begin("both detaches are called and pend", NULL);
    pair.client.pends = pair.provider.pends = true;
    check_status(STATUS_PENDING, NmrDeregisterProvider(pair.provider.handle));
    check_that(pair.client.detached == 1 && pair.provider.detached == 1, "both were called once");
    check_that(pair.client.cleaned + pair.provider.cleaned == 0, "nothing was cleaned up");
    check_no_report();
    check_end();

    check_begin("the last completion cleans up", NULL);
    NmrProviderDetachClientComplete(pair.provider.binding);
    check_that(pair.client.cleaned + pair.provider.cleaned == 0, "the first completion does not");
    NmrClientDetachProviderComplete(pair.client.binding);
    check_that(pair.client.cleaned == 1 && pair.provider.cleaned == 1, "each end once");
    check_no_report();
    check_end();

    check_begin("the client stays, and attaches to the next provider", NULL);
    check_status(STATUS_SUCCESS, NmrWaitForProviderDeregisterComplete(pair.provider.handle));
    memset(&pair.provider, 0, sizeof pair.provider);
    check_status(STATUS_SUCCESS, NmrRegisterProvider(&provider_characteristics, &pair.provider,
                                                     &pair.provider.handle));
    check_that(pair.client.attached == 2 && pair.provider.attached == 1, "they are attached");
    check_no_report();
    check_end();

    check_begin("nothing is left", NULL);
    pair.client.pends = false;
    pair.client.detached = pair.client.cleaned = 0;
    check_that(pair_stop(&pair), "the binding ends");
    check_that(nmr_host_registration_count() == others, "the registrations are closed");
    check_no_report();
    check_end();
}
