/* What the client does for the rest of its driver. */
#ifndef GUIDE_CLIENT_H
#define GUIDE_CLIENT_H

#include <ntddk.h>

/* Sends a value to the provider. STATUS_NOINTERFACE if there is none. */
NTSTATUS ClientAdd(ULONG Value, ULONG *Sum);

#endif
