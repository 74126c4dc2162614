#include "modules.h"

#include <string.h>

static ULONG NTAPI double_value(PVOID context, ULONG value)
{
    UNREFERENCED_PARAMETER(context);
    return 2 * value;
}

static const PROVIDER_DISPATCH provider_dispatch = {double_value};

static NPI_CLIENT_ATTACH_PROVIDER_FN client_attach;
static NPI_PROVIDER_ATTACH_CLIENT_FN provider_attach;
static NPI_CLIENT_DETACH_PROVIDER_FN detach;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN clean_up;

const NPIID npi = {0x9d3f2c11, 0x5b7a, 0x4e0c, {0x8a, 0x41, 0x0d, 0x6e, 0x5f, 0x1b, 0x2c, 0x3d}};
const NPI_MODULEID client_id = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_GUID,
    .Guid = {0x11111111, 0x1111, 0x4111, {0x81, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11}},
};
const NPI_MODULEID provider_id = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_IF_LUID,
    .IfLuid = {22, 0},
};

const NPI_CLIENT_CHARACTERISTICS client_characteristics = {
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = client_attach,
    .ClientDetachProvider = detach,
    .ClientCleanupBindingContext = clean_up,
    .ClientRegistrationInstance =
        {
            .Size = sizeof(NPI_REGISTRATION_INSTANCE),
            .NpiId = &npi,
            .ModuleId = &client_id,
        },
};
const NPI_PROVIDER_CHARACTERISTICS provider_characteristics = {
    .Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
    .ProviderAttachClient = provider_attach,
    .ProviderDetachClient = detach,
    .ProviderCleanupBindingContext = clean_up,
    .ProviderRegistrationInstance =
        {
            .Size = sizeof(NPI_REGISTRATION_INSTANCE),
            .NpiId = &npi,
            .ModuleId = &provider_id,
        },
};

static NTSTATUS NTAPI client_attach(HANDLE binding, PVOID context,
                                    PNPI_REGISTRATION_INSTANCE provider)
{
    struct module *client = context;
    const VOID *dispatch = NULL;
    NTSTATUS status;
    if (client->binding != NULL || !NmrIsEqualNpiModuleId(provider->ModuleId, &provider_id)) {
        return STATUS_NOINTERFACE;
    }
    status = NmrClientAttachProvider(binding, client, NULL, &client->provider_context, &dispatch);
    if (status == STATUS_SUCCESS) {
        client->binding = binding;
        client->provider_dispatch = dispatch;
        client->attached++;
    }
    return status;
}

static NTSTATUS NTAPI provider_attach(HANDLE binding, PVOID context,
                                      PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
                                      const VOID *client_dispatch, PVOID *own_context,
                                      const VOID **own_dispatch)
{
    struct module *provider = context;
    UNREFERENCED_PARAMETER(client_context);
    *own_context = NULL;
    *own_dispatch = NULL;
    if (provider->binding != NULL || client_dispatch != NULL
        || !NmrIsEqualNpiModuleId(client->ModuleId, &client_id)) {
        return STATUS_NOINTERFACE;
    }
    provider->binding = binding;
    provider->attached++;
    *own_context = provider;
    *own_dispatch = &provider_dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI detach(PVOID context)
{
    struct module *module = context;
    module->detached++;
    return module->pends ? STATUS_PENDING : STATUS_SUCCESS;
}

static VOID NTAPI clean_up(PVOID context)
{
    struct module *module = context;
    module->cleaned++;
    module->binding = NULL;
}

void pair_start(struct pair *pair)
{
    memset(pair, 0, sizeof *pair);
    NmrRegisterProvider(&provider_characteristics, &pair->provider, &pair->provider.handle);
    NmrRegisterClient(&client_characteristics, &pair->client, &pair->client.handle);
}

bool pair_is_well(const struct pair *pair)
{
    const struct module *client = &pair->client;
    const struct module *provider = &pair->provider;
    return client->attached == 1 && provider->attached == 1
        && client->provider_context == provider
        && client->provider_dispatch->Double(client->provider_context, 21) == 42
        && client->detached + provider->detached + client->cleaned + provider->cleaned == 0;
}

bool pair_stop(struct pair *pair)
{
    struct module *client = &pair->client;
    struct module *provider = &pair->provider;
    return NmrDeregisterClient(client->handle) == STATUS_PENDING
        && NmrWaitForClientDeregisterComplete(client->handle) == STATUS_SUCCESS
        && NmrDeregisterProvider(provider->handle) == STATUS_PENDING
        && NmrWaitForProviderDeregisterComplete(provider->handle) == STATUS_SUCCESS
        && client->detached == 1 && provider->detached == 1 && client->cleaned == 1
        && provider->cleaned == 1;
}
