/* Waits for several objects. */
#include "threads.h"

static NTSTATUS Wait(ULONG Count, PVOID *Objects, WAIT_TYPE Type)
{
    LARGE_INTEGER now;
    now.QuadPart = 0;
    return KeWaitForMultipleObjects(Count, Objects, Type, Executive, KernelMode, FALSE, &now, NULL);
}

static VOID Semaphores(VOID)
{
    KSEMAPHORE semaphore;
    PVOID objects[1];
    BOOLEAN right;
    objects[0] = &semaphore;
    KeInitializeSemaphore(&semaphore, 1, 3);
    right = Wait(1, objects, WaitAny) == STATUS_WAIT_0;
    right = right && Wait(1, objects, WaitAll) == STATUS_TIMEOUT;
    right = right && KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 2, FALSE) == 0;
    right = right && KeReadStateSemaphore(&semaphore) == 2;
    right = right && Wait(1, objects, WaitAll) == STATUS_SUCCESS;
    right = right && Wait(1, objects, WaitAny) == STATUS_WAIT_0;
    Say("semaphores", right && Wait(1, objects, WaitAny) == STATUS_TIMEOUT);
}

/* Beyond the limit of a semaphore: this raises an exception. */
VOID ExceedLimit(VOID)
{
    KSEMAPHORE semaphore;
    KeInitializeSemaphore(&semaphore, 2, 3);
    (VOID)KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 2, FALSE);
}

VOID Waits(VOID)
{
    KEVENT first;
    KEVENT second;
    KMUTEX mutex;
    PVOID objects[3];
    BOOLEAN right;
    KeInitializeEvent(&first, SynchronizationEvent, FALSE);
    KeInitializeEvent(&second, SynchronizationEvent, FALSE);
    KeInitializeMutex(&mutex, 0);
    objects[0] = &first;
    objects[1] = &second;
    objects[2] = &mutex;
    right = Wait(2, objects, WaitAny) == STATUS_TIMEOUT;
    KeSetEvent(&second, IO_NO_INCREMENT, FALSE);
    right = right && Wait(2, objects, WaitAny) == STATUS_WAIT_1;
    right = right && Wait(2, objects, WaitAny) == STATUS_TIMEOUT;
    Say("wait for any", right && Wait(3, objects, WaitAny) == STATUS_WAIT_2);
    KeReleaseMutex(&mutex, FALSE);
    KeSetEvent(&first, IO_NO_INCREMENT, FALSE);
    /* What is ready stays as it is until all are. */
    right = Wait(3, objects, WaitAll) == STATUS_TIMEOUT && KeReadStateEvent(&first) == 1 &&
            KeReadStateMutex(&mutex) == 1;
    KeSetEvent(&second, IO_NO_INCREMENT, FALSE);
    right = right && Wait(3, objects, WaitAll) == STATUS_SUCCESS;
    Say("wait for all", right && KeReadStateEvent(&first) == 0 && KeReadStateEvent(&second) == 0 &&
                            KeReadStateMutex(&mutex) != 1);
    KeReleaseMutex(&mutex, FALSE);
    Semaphores();
}
