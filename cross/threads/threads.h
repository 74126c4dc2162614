/* What the sources of the driver share. */
#pragma once
#include <ntddk.h>

static __inline VOID Say(const char *What, BOOLEAN Right)
{
    DbgPrint("%s: %s\n", What, Right ? "right" : "wrong");
}

/* lists.c */
VOID Lists(VOID);
/* lookaside.c */
VOID Lookasides(VOID);
/* waits.c */
VOID Waits(VOID);
VOID ExceedLimit(VOID);
/* mdls.c */
VOID Mdls(VOID);
