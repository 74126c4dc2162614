/* Valid C and C++: both headers, each twice, and what they promise at compile time. */
#include "netioddk.h"
#include "nmr_host.h"

#include "netioddk.h"
#include "nmr_host.h"

#ifdef __cplusplus
#define ASSERT(condition) static_assert(condition, #condition)
#else
#define ASSERT(condition) _Static_assert(condition, #condition)
#endif

ASSERT(NT_SUCCESS(STATUS_SUCCESS) && NT_SUCCESS(STATUS_PENDING));
ASSERT(!NT_SUCCESS(STATUS_NOINTERFACE) && !NT_SUCCESS(STATUS_INSUFFICIENT_RESOURCES));
ASSERT(STATUS_INVALID_PARAMETER == -1073741811);

/* The callback types declare functions, and their pointer types point to those. */
NPI_CLIENT_ATTACH_PROVIDER_FN client_attach;
NPI_CLIENT_DETACH_PROVIDER_FN client_detach;
NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN client_clean_up;
NPI_PROVIDER_ATTACH_CLIENT_FN provider_attach;
NPI_PROVIDER_DETACH_CLIENT_FN provider_detach;
NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN provider_clean_up;

/* A definition may carry the annotations of a driver's source. */
_Use_decl_annotations_
NTSTATUS NTAPI client_detach(_In_ PVOID ClientBindingContext)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    return STATUS_SUCCESS;
}

BOOLEAN is_me(PNPI_REGISTRATION_INSTANCE instance);

BOOLEAN is_me(PNPI_REGISTRATION_INSTANCE instance)
{
    return NmrIsEqualNpiModuleId(instance->ModuleId, instance->ModuleId);
}

void describe(NPI_CLIENT_CHARACTERISTICS *client, NPI_PROVIDER_CHARACTERISTICS *provider);

void describe(NPI_CLIENT_CHARACTERISTICS *client, NPI_PROVIDER_CHARACTERISTICS *provider)
{
    client->ClientAttachProvider = client_attach;
    client->ClientDetachProvider = client_detach;
    client->ClientCleanupBindingContext = client_clean_up;
    provider->ProviderAttachClient = provider_attach;
    provider->ProviderDetachClient = provider_detach;
    provider->ProviderCleanupBindingContext = provider_clean_up;
}
