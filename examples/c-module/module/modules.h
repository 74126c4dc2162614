/*
 * The two modules, as the rest of the driver sees them. Each is registered, deregistered once, and
 * then waited for if that returned STATUS_PENDING.
 */
#ifndef MODULES_H
#define MODULES_H

#include "quota.h"

extern const NPI_MODULEID ClientModuleId;
extern const NPI_MODULEID ProviderModuleId;

/* What the client does when its quota is exhausted. IRQL <= DISPATCH_LEVEL. */
typedef VOID CLIENT_EXHAUSTED_FN(ULONG Granted);

NTSTATUS ClientRegister(CLIENT_EXHAUSTED_FN *Exhausted);
NTSTATUS ClientDeregister(VOID);
VOID ClientWait(VOID);

/* Asks the provider. STATUS_DEVICE_NOT_READY: there is none. STATUS_QUOTA_EXCEEDED: it refuses. */
NTSTATUS ClientSend(ULONG Bytes);

/* Grants each client so many bytes. */
NTSTATUS ProviderRegister(ULONG BytesPerClient);
NTSTATUS ProviderDeregister(VOID);
VOID ProviderWait(VOID);

#endif
