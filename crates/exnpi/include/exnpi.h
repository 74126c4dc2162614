/*
 * EXNPI: an example of a network programming interface, for modules in C. The crate exnpi declares
 * the same for Rust.
 *
 * A client sends values to a provider, and the provider tells it their sum. Every function may be
 * called from any thread at IRQL <= DISPATCH_LEVEL, between the attach and the end of the detach.
 */
#ifndef EXNPI_H
#define EXNPI_H

#include "netioddk.h"

#ifdef __cplusplus
extern "C" {
#endif

/* {1d639dbc-7f45-47be-a432-6c0b5caa147b}. One source file of the program defines it with EXNPI_NPIID_INIT. */
extern const NPIID EXNPI_NPIID;
#define EXNPI_NPIID_INIT \
    { 0x1d639dbc, 0x7f45, 0x47be, { 0xa4, 0x32, 0x6c, 0x0b, 0x5c, 0xaa, 0x14, 0x7b } }

/* The version of EXNPI that this header declares. */
#define EXNPI_VERSION 1

/* What a module says about itself: NpiSpecificCharacteristics. */
typedef struct _EXNPI_CHARACTERISTICS {
    ULONG Version;
} EXNPI_CLIENT_CHARACTERISTICS, EXNPI_PROVIDER_CHARACTERISTICS;

/* Adds a value, and returns the sum of all that were sent through this binding. */
typedef ULONG (NTAPI *EXNPI_ADD_FN)(PVOID ProviderBindingContext, ULONG Value);

/* The sum has changed. */
typedef VOID (NTAPI *EXNPI_CHANGED_FN)(PVOID ClientBindingContext, ULONG Sum);

/* What a provider does for its clients. */
typedef struct _EXNPI_PROVIDER_DISPATCH {
    EXNPI_ADD_FN Add;
} EXNPI_PROVIDER_DISPATCH;

/* What a client hears from its providers. */
typedef struct _EXNPI_CLIENT_DISPATCH {
    EXNPI_CHANGED_FN Changed;
} EXNPI_CLIENT_DISPATCH;

#ifdef __cplusplus
}
#endif

#endif
