/*
 * Mistakes that real drivers and their tests make, in miniature: each is a module that makes one, and
 * what it takes to see it made. Between them they use no line of those drivers.
 */
#ifndef DEFECTS_H
#define DEFECTS_H

#include <stdio.h>
#include <string.h>

#include "../modules.h"
#include "nmr_host.h"

void d_01(void);
void d_02(void);
void d_03(void);
void d_04(void);
void d_06(void);
void d_07(void);
void d_08(void);
void d_09(void);
void d_10(void);
void d_11(void);

/* A provider's attach callback that accepts every client. */
static inline NTSTATUS NTAPI accept_client(HANDLE binding, PVOID context,
                                           PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
                                           const VOID *client_dispatch, PVOID *own_context,
                                           const VOID **own_dispatch)
{
    static const PROVIDER_DISPATCH dispatch = {NULL};
    UNREFERENCED_PARAMETER(binding);
    UNREFERENCED_PARAMETER(client);
    UNREFERENCED_PARAMETER(client_context);
    UNREFERENCED_PARAMETER(client_dispatch);
    *own_context = context;
    *own_dispatch = &dispatch;
    return STATUS_SUCCESS;
}

/* Characteristics with other callbacks than those of the well-behaved modules. */
static inline NPI_CLIENT_CHARACTERISTICS client_with(NPI_CLIENT_ATTACH_PROVIDER_FN *attach,
                                                     NPI_CLIENT_DETACH_PROVIDER_FN *detach)
{
    NPI_CLIENT_CHARACTERISTICS characteristics = client_characteristics;
    characteristics.ClientAttachProvider = attach;
    characteristics.ClientDetachProvider = detach;
    characteristics.ClientCleanupBindingContext = NULL;
    return characteristics;
}

static inline NPI_PROVIDER_CHARACTERISTICS provider_with(NPI_PROVIDER_ATTACH_CLIENT_FN *attach,
                                                         NPI_PROVIDER_DETACH_CLIENT_FN *detach)
{
    NPI_PROVIDER_CHARACTERISTICS characteristics = provider_characteristics;
    characteristics.ProviderAttachClient = attach;
    characteristics.ProviderDetachClient = detach;
    characteristics.ProviderCleanupBindingContext = NULL;
    return characteristics;
}

/* A well-behaved module comes and goes. */
static inline void provider_start(struct module *provider)
{
    memset(provider, 0, sizeof *provider);
    NmrRegisterProvider(&provider_characteristics, provider, &provider->handle);
}

static inline void provider_stop(struct module *provider)
{
    NmrDeregisterProvider(provider->handle);
    NmrWaitForProviderDeregisterComplete(provider->handle);
}

static inline void client_start(struct module *client)
{
    memset(client, 0, sizeof *client);
    NmrRegisterClient(&client_characteristics, client, &client->handle);
}

static inline void client_stop(struct module *client)
{
    NmrDeregisterClient(client->handle);
    NmrWaitForClientDeregisterComplete(client->handle);
}

#endif
