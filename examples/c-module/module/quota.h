/*
 * QUOTA: the interface between a module that sends and one that says how much it may send. A client
 * asks before it sends; the provider tells it once when nothing is left.
 *
 * All functions may be called from any thread at IRQL <= DISPATCH_LEVEL while the two are attached.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include <ntddk.h>
#include <netioddk.h>

/* {6f0b6a0e-52e1-4a4f-9d0c-0c3a1f5b7d21} */
extern const NPIID QUOTA_NPIID;

#define QUOTA_VERSION 1

/* What each side says about itself: NpiSpecificCharacteristics. */
typedef struct _QUOTA_CHARACTERISTICS {
    ULONG Version;
} QUOTA_CHARACTERISTICS;

/* May the client send this many bytes? If so, they count as sent. */
typedef BOOLEAN (*QUOTA_CHARGE_FN)(PVOID ProviderBindingContext, ULONG Bytes);

/* The first refusal: so many bytes were granted. Comes inside Charge. */
typedef VOID (*QUOTA_EXHAUSTED_FN)(PVOID ClientBindingContext, ULONG Granted);

typedef struct _QUOTA_PROVIDER_DISPATCH {
    QUOTA_CHARGE_FN Charge;
} QUOTA_PROVIDER_DISPATCH;

typedef struct _QUOTA_CLIENT_DISPATCH {
    QUOTA_EXHAUSTED_FN Exhausted;
} QUOTA_CLIENT_DISPATCH;

#endif
