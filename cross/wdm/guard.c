// What a driver that is compiled with /guard:cf and linked with no library of the WDK has itself: the load
// configuration, and the variable through which calls of addresses go. The loader of Windows puts its own
// function there; until then a call goes on to its target, which is in RAX.

#include "wdm.h"

// What the linker makes.
extern UCHAR __guard_fids_table[];
extern UCHAR __guard_fids_count[];
extern UCHAR __guard_flags[];

__attribute__((naked)) static void unchecked(void)
{
    __asm__("jmp *%rax");
}

void (*__guard_dispatch_icall_fptr)(void) = unchecked;

// IMAGE_LOAD_CONFIG_DIRECTORY64, up to GuardFlags.
typedef struct {
    ULONG Size;
    ULONG Unused[21];
    PVOID SecurityCookie;
    PVOID Handlers[2];
    PVOID GuardCFCheckFunctionPointer;
    PVOID GuardCFDispatchFunctionPointer;
    PVOID GuardCFFunctionTable;
    PVOID GuardCFFunctionCount;
    PVOID GuardFlags;
} LOAD_CONFIG;

C_ASSERT(FIELD_OFFSET(LOAD_CONFIG, SecurityCookie) == 88);
C_ASSERT(FIELD_OFFSET(LOAD_CONFIG, GuardFlags) == 144);

const LOAD_CONFIG _load_config_used = {
    .Size = sizeof(LOAD_CONFIG),
    .GuardCFDispatchFunctionPointer = &__guard_dispatch_icall_fptr,
    .GuardCFFunctionTable = __guard_fids_table,
    .GuardCFFunctionCount = __guard_fids_count,
    .GuardFlags = __guard_flags,
};
