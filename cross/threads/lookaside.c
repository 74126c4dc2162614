/* Lookaside lists, with the inline functions of the headers. */
#include "threads.h"

#define TAG 'kooL'

C_ASSERT(sizeof(GENERAL_LOOKASIDE_POOL) == 0x60);
C_ASSERT(FIELD_OFFSET(GENERAL_LOOKASIDE_POOL, Depth) == 0x10);
C_ASSERT(FIELD_OFFSET(GENERAL_LOOKASIDE_POOL, Tag) == 0x28);
C_ASSERT(FIELD_OFFSET(GENERAL_LOOKASIDE_POOL, AllocateEx) == 0x30);

static LONG Allocated;

static PVOID NTAPI Allocate(POOL_TYPE Type, SIZE_T Size, ULONG Tag, PLOOKASIDE_LIST_EX List)
{
    UNREFERENCED_PARAMETER(List);
    InterlockedIncrement(&Allocated);
    return ExAllocatePoolWithTag(Type, Size, Tag);
}

static VOID NTAPI Free(PVOID Block, PLOOKASIDE_LIST_EX List)
{
    UNREFERENCED_PARAMETER(List);
    InterlockedDecrement(&Allocated);
    ExFreePool(Block);
}

static VOID NonPaged(VOID)
{
    static NPAGED_LOOKASIDE_LIST list;
    PVOID blocks[8];
    ULONG place;
    ULONG got = 0;
    BOOLEAN again = FALSE;
    ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 100, TAG, 0);
    for (place = 0; place < 8; place++) {
        blocks[place] = ExAllocateFromNPagedLookasideList(&list);
        if (blocks[place] != NULL) {
            RtlZeroMemory(blocks[place], 100);
            got++;
        }
    }
    for (place = 0; place < 8; place++) {
        if (blocks[place] != NULL) {
            ExFreeToNPagedLookasideList(&list, blocks[place]);
        }
    }
    if (got == 8) {
        /* The list keeps as many as its depth, the last of them in front. */
        PVOID block = ExAllocateFromNPagedLookasideList(&list);
        again = block == blocks[list.L.Depth - 1] && list.L.AllocateMisses == 8 &&
                list.L.FreeMisses == 8u - list.L.Depth;
        ExFreeToNPagedLookasideList(&list, block);
        Say("lookaside list", again);
    }
    ExDeleteNPagedLookasideList(&list);
}

static VOID Paged(VOID)
{
    static PAGED_LOOKASIDE_LIST list;
    PVOID block;
    PVOID same;
    ExInitializePagedLookasideList(&list, NULL, NULL, 0, 100, TAG, 0);
    block = ExAllocateFromPagedLookasideList(&list);
    if (block != NULL) {
        ExFreeToPagedLookasideList(&list, block);
        same = ExAllocateFromPagedLookasideList(&list);
        Say("paged lookaside list", same == block);
        ExFreeToPagedLookasideList(&list, same);
    }
    ExDeletePagedLookasideList(&list);
}

static VOID Extended(PALLOCATE_FUNCTION_EX AllocateEx, PFREE_FUNCTION_EX FreeEx, const char *What)
{
    static LOOKASIDE_LIST_EX list;
    PVOID block;
    NTSTATUS status =
        ExInitializeLookasideListEx(&list, AllocateEx, FreeEx, NonPagedPool, 0, 100, TAG, 0);
    Say("initialized", status == STATUS_SUCCESS);
    block = ExAllocateFromLookasideListEx(&list);
    if (block != NULL) {
        RtlZeroMemory(block, 100);
        ExFreeToLookasideListEx(&list, block);
        ExFlushLookasideListEx(&list);
        Say(What, ExQueryDepthSList(&list.L.ListHead) == 0 && list.L.TotalFrees == 1);
        block = ExAllocateFromLookasideListEx(&list);
    }
    if (block != NULL) {
        ExFreeToLookasideListEx(&list, block);
    }
    ExDeleteLookasideListEx(&list);
}

VOID Lookasides(VOID)
{
    NonPaged();
    Paged();
    Extended(NULL, NULL, "extended list");
    Extended(Allocate, Free, "own functions");
    Say("own functions freed all", Allocated == 0);
}
