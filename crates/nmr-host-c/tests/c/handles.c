#include "check.h"
#include "checks.h"

/* What a handle stands for. */
enum kind {
    NOTHING,
    CLIENT,
    PROVIDER,
    CLIENT_BINDING,
    PROVIDER_BINDING
};

static NTSTATUS attach(HANDLE handle)
{
    int context = 0;
    PVOID provider = &context;
    const VOID *dispatch = &context;
    NTSTATUS status = NmrClientAttachProvider(handle, &context, NULL, &provider, &dispatch);
    check_that(provider != &context && dispatch != &context, "the outputs are overwritten");
    return status;
}

static NTSTATUS deregister_client(HANDLE handle)
{
    return NmrDeregisterClient(handle);
}

static NTSTATUS deregister_provider(HANDLE handle)
{
    return NmrDeregisterProvider(handle);
}

static NTSTATUS wait_for_client(HANDLE handle)
{
    return NmrWaitForClientDeregisterComplete(handle);
}

static NTSTATUS wait_for_provider(HANDLE handle)
{
    return NmrWaitForProviderDeregisterComplete(handle);
}

/* A completion returns nothing. It counts as a refusal here. */
static NTSTATUS complete_client(HANDLE handle)
{
    NmrClientDetachProviderComplete(handle);
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS complete_provider(HANDLE handle)
{
    NmrProviderDetachClientComplete(handle);
    return STATUS_INVALID_PARAMETER;
}

/* The seven functions that take a handle, and the rules about it. */
static const struct function {
    const char *name;
    NTSTATUS (*call)(HANDLE);
    enum kind takes;
    unsigned wrong_kind;
    unsigned stale;
} functions[] = {
    {"NmrDeregisterClient", deregister_client, CLIENT, 74, 70},
    {"NmrDeregisterProvider", deregister_provider, PROVIDER, 74, 70},
    {"NmrWaitForClientDeregisterComplete", wait_for_client, CLIENT, 74, 72},
    {"NmrWaitForProviderDeregisterComplete", wait_for_provider, PROVIDER, 74, 72},
    {"NmrClientAttachProvider", attach, CLIENT_BINDING, 74, 55},
    {"NmrClientDetachProviderComplete", complete_client, CLIENT_BINDING, 45, 46},
    {"NmrProviderDetachClientComplete", complete_provider, PROVIDER_BINDING, 45, 46},
};

struct subject {
    const char *name;
    HANDLE handle;
    enum kind kind;
    bool is_stale;
};

static void check_one(const struct function *function, const struct subject *subject,
                      const struct pair *bystanders)
{
    unsigned rule = subject->kind == NOTHING    ? 75
        : subject->kind != function->takes      ? function->wrong_kind
                                                : function->stale;
    check_begin(function->name, subject->name);
    check_status(STATUS_INVALID_PARAMETER, function->call(subject->handle));
    check_report(rule);
    check_that(pair_is_well(bystanders), "the bystanders are well");
    check_end();
}

/* The right handle at the wrong time. */
static void check_untimely(const struct pair *bystanders)
{
    check_begin("NmrWaitForClientDeregisterComplete", "before NmrDeregisterClient");
    check_status(STATUS_INVALID_PARAMETER, wait_for_client(bystanders->client.handle));
    check_report(71);
    check_that(pair_is_well(bystanders), "the bystanders are well");
    check_end();

    check_begin("NmrWaitForProviderDeregisterComplete", "before NmrDeregisterProvider");
    check_status(STATUS_INVALID_PARAMETER, wait_for_provider(bystanders->provider.handle));
    check_report(71);
    check_that(pair_is_well(bystanders), "the bystanders are well");
    check_end();

    check_begin("NmrClientAttachProvider", "after the offer");
    check_status(STATUS_INVALID_DEVICE_STATE, attach(bystanders->client.binding));
    check_report(24);
    check_that(pair_is_well(bystanders), "the bystanders are well");
    check_end();
}

void check_handles(const struct pair *stale, const struct pair *bystanders)
{
    int local = 0;
    const struct subject subjects[] = {
        {"NULL", NULL, NOTHING, false},
        {"the address of a local", &local, NOTHING, false},
        {"the number 1", (HANDLE)(uintptr_t)1, NOTHING, false},
        {"all ones", (HANDLE)UINTPTR_MAX, NOTHING, false},
        {"a client", bystanders->client.handle, CLIENT, false},
        {"a provider", bystanders->provider.handle, PROVIDER, false},
        {"a client's binding", bystanders->client.binding, CLIENT_BINDING, false},
        {"a provider's binding", bystanders->provider.binding, PROVIDER_BINDING, false},
        {"a closed client", stale->client.handle, CLIENT, true},
        {"a closed provider", stale->provider.handle, PROVIDER, true},
        {"a client's binding that is gone", stale->client.binding, CLIENT_BINDING, true},
        {"a provider's binding that is gone", stale->provider.binding, PROVIDER_BINDING, true},
    };
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        for (size_t s = 0; s < sizeof subjects / sizeof subjects[0]; s++) {
            if (subjects[s].kind != functions[f].takes || subjects[s].is_stale) {
                check_one(&functions[f], &subjects[s], bystanders);
            }
        }
    }
    check_untimely(bystanders);
}
