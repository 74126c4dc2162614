/*
 * The rules about memory, broken in C: a client whose contexts come from the quarantine because its
 * malloc and free do. Prints a line for each check; exits with 0 if all passed. With the argument
 * "stray" it touches a freed block that is nothing to the NMR, which ends it.
 */
#define NMR_HOST_QUARANTINE
#include "nmr_host.h"

#include "check.h"
#include "modules.h"

#include <string.h>

/* A client's end of a binding. */
struct binding {
    HANDLE handle;
    PVOID provider_context;
    const PROVIDER_DISPATCH *provider_dispatch;
};

static struct binding *current;
static bool free_in_attach;
static bool free_in_detach;
static bool pends;
static bool keeps;

static NTSTATUS NTAPI attach(HANDLE handle, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    struct binding *binding = malloc(sizeof *binding);
    const VOID *dispatch = NULL;
    NTSTATUS status;
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(provider);
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->handle = handle;
    status = NmrClientAttachProvider(handle, binding, NULL, &binding->provider_context, &dispatch);
    binding->provider_dispatch = dispatch;
    current = binding;
    if (status != STATUS_SUCCESS || free_in_attach) {
        free(binding);
    }
    return status;
}

static NTSTATUS NTAPI detach(PVOID context)
{
    if (free_in_detach) {
        free(context);
    }
    return pends ? STATUS_PENDING : STATUS_SUCCESS;
}

static VOID NTAPI clean_up(PVOID context)
{
    if (!free_in_attach && !free_in_detach && !keeps) {
        free(context);
    }
}

/* Characteristics in a block of their own. */
static NPI_CLIENT_CHARACTERISTICS *characteristics(void)
{
    NPI_CLIENT_CHARACTERISTICS *own = malloc(sizeof *own);
    *own = client_characteristics;
    own->ClientAttachProvider = attach;
    own->ClientDetachProvider = detach;
    own->ClientCleanupBindingContext = clean_up;
    return own;
}

/* A client comes and goes beside a provider. If it pends it completes, and touches its context. */
static void come_and_go(void)
{
    NPI_CLIENT_CHARACTERISTICS *own = characteristics();
    static struct module provider = {0};
    HANDLE client = NULL;
    check_status(STATUS_SUCCESS, NmrRegisterProvider(&provider_characteristics, &provider,
                                                     &provider.handle));
    check_status(STATUS_SUCCESS, NmrRegisterClient(own, NULL, &client));
    check_status(STATUS_PENDING, NmrDeregisterClient(client));
    if (pends) {
        NmrClientDetachProviderComplete(current->handle);
        current->provider_context = NULL;
    }
    check_status(STATUS_SUCCESS, NmrWaitForClientDeregisterComplete(client));
    free(own);
    check_status(STATUS_PENDING, NmrDeregisterProvider(provider.handle));
    check_status(STATUS_SUCCESS, NmrWaitForProviderDeregisterComplete(provider.handle));
}

static void check_early_frees(void)
{
    check_begin("a context", "freed after the attach");
    free_in_attach = true;
    come_and_go();
    free_in_attach = false;
    check_report(39);
    check_end();

    check_begin("a context", "freed in the detach callback");
    free_in_detach = true;
    come_and_go();
    free_in_detach = false;
    check_report(51);
    check_end();
}

static void check_late_touches(void)
{
    check_begin("a context", "touched after the completion");
    pends = true;
    come_and_go();
    pends = false;
    check_report(56);
    check_end();

    check_begin("a context", "touched after the cleanup");
    come_and_go();
    current->handle = NULL;
    check_report(61);
    check_end();
}

static void check_leak(void)
{
    check_begin("a context", "not freed in the cleanup callback");
    keeps = true;
    come_and_go();
    keeps = false;
    check_report(63);
    check_end();
    free(current);
}

static void check_lent(void)
{
    NPI_CLIENT_CHARACTERISTICS *own = characteristics();
    HANDLE client = NULL;
    check_begin("characteristics", "freed between Deregister and Wait");
    NmrRegisterClient(own, NULL, &client);
    NmrDeregisterClient(client);
    free(own);
    check_report(12);
    check_status(STATUS_SUCCESS, NmrWaitForClientDeregisterComplete(client));
    check_end();
}

/* Frees a block that was never lent, and touches it. */
static int touch_a_stranger(void)
{
    volatile int *stray = malloc(sizeof *stray);
    free((void *)stray);
    return *stray;
}

int main(int argc, char **argv)
{
    if (!nmr_host_set_policy("memory=checked,report=print")) {
        return 2;
    }
    if (argc > 1 && strcmp(argv[1], "stray") == 0) {
        return touch_a_stranger();
    }
    check_begin("a well-behaved client", NULL);
    come_and_go();
    check_no_report();
    check_end();
    check_early_frees();
    check_late_touches();
    check_leak();
    check_lent();
    nmr_host_clear_reports();
    return nmr_host_finish() != 0 || check_failures() != 0;
}
