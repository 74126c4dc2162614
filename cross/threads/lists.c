/* Interlocked lists, and lists that need no lock. */
#include "threads.h"

typedef struct {
    LIST_ENTRY Entry;
    LONG Value;
} ITEM;

typedef struct {
    SINGLE_LIST_ENTRY Entry;
} SINGLE;

typedef struct DECLSPEC_ALIGN(16) {
    SLIST_ENTRY Entry;
    LONG Value;
} SEQUENCED;

static VOID Doubly(VOID)
{
    LIST_ENTRY head;
    KSPIN_LOCK lock;
    ITEM items[3] = { { { NULL, NULL }, 0 }, { { NULL, NULL }, 1 }, { { NULL, NULL }, 2 } };
    BOOLEAN right;
    InitializeListHead(&head);
    KeInitializeSpinLock(&lock);
    right = ExInterlockedRemoveHeadList(&head, &lock) == NULL;
    right = right && ExInterlockedInsertHeadList(&head, &items[1].Entry, &lock) == NULL;
    right = right && ExInterlockedInsertHeadList(&head, &items[0].Entry, &lock) == &items[1].Entry;
    right = right && ExInterlockedInsertTailList(&head, &items[2].Entry, &lock) == &items[1].Entry;
    right = right && head.Flink == &items[0].Entry && head.Blink == &items[2].Entry &&
            items[1].Entry.Flink == &items[2].Entry && items[1].Entry.Blink == &items[0].Entry;
    right = right && ExInterlockedRemoveHeadList(&head, &lock) == &items[0].Entry;
    right = right && ExInterlockedRemoveHeadList(&head, &lock) == &items[1].Entry;
    right = right && ExInterlockedRemoveHeadList(&head, &lock) == &items[2].Entry;
    right = right && IsListEmpty(&head);
    right = right && ExInterlockedInsertTailList(&head, &items[0].Entry, &lock) == NULL;
    Say("interlocked lists", right && head.Blink == &items[0].Entry);
}

static VOID Singly(VOID)
{
    SINGLE_LIST_ENTRY head = { NULL };
    KSPIN_LOCK lock;
    SINGLE items[2];
    BOOLEAN right;
    KeInitializeSpinLock(&lock);
    right = ExInterlockedPopEntryList(&head, &lock) == NULL;
    right = right && ExInterlockedPushEntryList(&head, &items[0].Entry, &lock) == NULL;
    right = right && ExInterlockedPushEntryList(&head, &items[1].Entry, &lock) == &items[0].Entry;
    right = right && ExInterlockedPopEntryList(&head, &lock) == &items[1].Entry;
    right = right && ExInterlockedPopEntryList(&head, &lock) == &items[0].Entry;
    Say("single lists", right && head.Next == NULL);
}

static VOID Sequenced(VOID)
{
    static SLIST_HEADER head;
    static SEQUENCED items[3];
    PSLIST_ENTRY entry;
    BOOLEAN right;
    head.Alignment = 77;
    ExInitializeSListHead(&head);
    right = ExQueryDepthSList(&head) == 0 && ExInterlockedPopEntrySList(&head, NULL) == NULL;
    right = right && ExInterlockedPushEntrySList(&head, &items[0].Entry, NULL) == NULL;
    right = right && ExInterlockedPushEntrySList(&head, &items[1].Entry, NULL) == &items[0].Entry;
    right = right && ExInterlockedPushEntrySList(&head, &items[2].Entry, NULL) == &items[1].Entry;
    right = right && ExQueryDepthSList(&head) == 3;
    right = right && ExInterlockedPopEntrySList(&head, NULL) == &items[2].Entry;
    right = right && ExQueryDepthSList(&head) == 2;
    entry = ExInterlockedFlushSList(&head);
    right = right && entry == &items[1].Entry && entry->Next == &items[0].Entry;
    right = right && ExQueryDepthSList(&head) == 0 && ExInterlockedFlushSList(&head) == NULL;
    Say("sequenced lists", right);
}

VOID Lists(VOID)
{
    Doubly();
    Singly();
    Sequenced();
}
