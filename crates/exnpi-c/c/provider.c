/* The EXNPI provider: keeps a sum for each of its clients. */
#include "calls.h"
#include "memory.h"
#include "modules.h"

/* The provider's part of a binding. */
struct account {
    struct exnpi_c_provider *provider;
    HANDLE binding;
    PVOID client_context;
    const EXNPI_CLIENT_DISPATCH *client;
    struct calls calls;
    _Atomic ULONG sum;
};

/* A registration. The NMR and the clients read the first two while it is registered. */
struct exnpi_c_provider {
    NPI_PROVIDER_CHARACTERISTICS characteristics;
    EXNPI_PROVIDER_CHARACTERISTICS about;
    HANDLE handle;
    exnpi_c_listener added;
    void *listener;
};

static NPI_PROVIDER_ATTACH_CLIENT_FN attach_client;
static NPI_PROVIDER_DETACH_CLIENT_FN detach_client;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN clean_up;

/* {5e0c3a8d-27f6-4c39-8b52-90d5ce1f64aa} */
static const NPI_MODULEID module_id = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_GUID,
    .Guid = {0x5e0c3a8d, 0x27f6, 0x4c39, {0x8b, 0x52, 0x90, 0xd5, 0xce, 0x1f, 0x64, 0xaa}},
};

static const NPI_PROVIDER_CHARACTERISTICS characteristics = {
    .Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
    .ProviderAttachClient = attach_client,
    .ProviderDetachClient = detach_client,
    .ProviderCleanupBindingContext = clean_up,
    .ProviderRegistrationInstance =
        {
            .Size = sizeof(NPI_REGISTRATION_INSTANCE),
            .NpiId = &EXNPI_NPIID,
            .ModuleId = &module_id,
        },
};

/* Tells the client the sum, unless it is detaching. */
static void tell(struct account *account, ULONG sum)
{
    if (!calls_enter(&account->calls)) {
        return;
    }
    account->client->Changed(account->client_context, sum);
    if (calls_leave(&account->calls)) {
        NmrProviderDetachClientComplete(account->binding);
    }
}

/* The client is not done detaching while it is in here, so the account stays. */
static ULONG NTAPI add(PVOID context, ULONG value)
{
    struct account *account = context;
    ULONG sum = atomic_fetch_add(&account->sum, value) + value;
    account->provider->added(account->provider->listener, value);
    tell(account, sum);
    return sum;
}

static const EXNPI_PROVIDER_DISPATCH dispatch = {add};

static NTSTATUS NTAPI attach_client(HANDLE binding, PVOID context,
                                    PNPI_REGISTRATION_INSTANCE instance, PVOID client_context,
                                    const VOID *client, PVOID *own_context,
                                    const VOID **own_dispatch)
{
    const EXNPI_CLIENT_CHARACTERISTICS *about = instance->NpiSpecificCharacteristics;
    struct account *account;
    *own_context = NULL;
    *own_dispatch = NULL;
    if (about == NULL || about->Version != EXNPI_VERSION || client == NULL) {
        return STATUS_NOINTERFACE;
    }
    account = memory_allocate(sizeof *account);
    if (account == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    account->provider = context;
    account->binding = binding;
    account->client_context = client_context;
    account->client = client;
    calls_init(&account->calls);
    /*
     * The only calls into the client come from `add`, which the client calls when it is attached.
     */
    calls_open(&account->calls);
    *own_context = account;
    *own_dispatch = &dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI detach_client(PVOID context)
{
    struct account *account = context;
    return calls_close(&account->calls);
}

static VOID NTAPI clean_up(PVOID context)
{
    memory_free(context);
}

NTSTATUS exnpi_c_provider_start(exnpi_c_listener listen, void *context,
                                struct exnpi_c_provider **started)
{
    struct exnpi_c_provider *provider = memory_allocate(sizeof *provider);
    NTSTATUS status;
    if (provider == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    provider->characteristics = characteristics;
    provider->characteristics.ProviderRegistrationInstance.NpiSpecificCharacteristics =
        &provider->about;
    provider->about.Version = EXNPI_VERSION;
    provider->added = listen;
    provider->listener = context;
    status = NmrRegisterProvider(&provider->characteristics, provider, &provider->handle);
    if (status != STATUS_SUCCESS) {
        memory_free(provider);
        return status;
    }
    *started = provider;
    return STATUS_SUCCESS;
}

NTSTATUS exnpi_c_provider_close(struct exnpi_c_provider *provider)
{
    return NmrDeregisterProvider(provider->handle);
}

NTSTATUS exnpi_c_provider_free(struct exnpi_c_provider *provider)
{
    NTSTATUS status = NmrWaitForProviderDeregisterComplete(provider->handle);
    if (status == STATUS_SUCCESS) {
        memory_free(provider);
    }
    return status;
}
