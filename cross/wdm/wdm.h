/* What the sources of the driver share. */
#pragma once
#include <ntddk.h>

#define NMR_CODE(Function, Method) CTL_CODE(FILE_DEVICE_UNKNOWN, Function, Method, FILE_ANY_ACCESS)

/* Reverse the input into the output, by each method. */
#define IOCTL_BUFFERED NMR_CODE(0x800, METHOD_BUFFERED)
#define IOCTL_IN_DIRECT NMR_CODE(0x801, METHOD_IN_DIRECT)
#define IOCTL_OUT_DIRECT NMR_CODE(0x802, METHOD_OUT_DIRECT)
#define IOCTL_NEITHER NMR_CODE(0x803, METHOD_NEITHER)
/* Wait until another request wakes the one that waits longest, or until it is canceled. */
#define IOCTL_WAIT NMR_CODE(0x804, METHOD_BUFFERED)
#define IOCTL_WAKE NMR_CODE(0x805, METHOD_BUFFERED)
/* Adds two MDLs to the request, which go with it. */
#define IOCTL_MDLS NMR_CODE(0x806, METHOD_NEITHER)
/* The same with a cancel-safe queue of the I/O manager. */
#define IOCTL_QUEUE NMR_CODE(0x807, METHOD_BUFFERED)
#define IOCTL_TAKE NMR_CODE(0x808, METHOD_BUFFERED)
#define IOCTL_CONTEXT NMR_CODE(0x809, METHOD_BUFFERED)
/* Sets how reads and writes bring their buffers: the flags of the device. */
#define IOCTL_METHOD NMR_CODE(0x80a, METHOD_BUFFERED)
/* Mistakes. */
#define IOCTL_TWICE NMR_CODE(0x810, METHOD_BUFFERED)
#define IOCTL_FORGET NMR_CODE(0x811, METHOD_BUFFERED)
#define IOCTL_FORGET_DIRECT NMR_CODE(0x81e, METHOD_OUT_DIRECT)
#define IOCTL_UNMARKED NMR_CODE(0x812, METHOD_BUFFERED)
#define IOCTL_LOST NMR_CODE(0x813, METHOD_BUFFERED)
#define IOCTL_TOUCH NMR_CODE(0x814, METHOD_BUFFERED)
#define IOCTL_LEAVE NMR_CODE(0x815, METHOD_BUFFERED)
#define IOCTL_DIFFERENT NMR_CODE(0x816, METHOD_BUFFERED)
#define IOCTL_MORE NMR_CODE(0x817, METHOD_BUFFERED)
#define IOCTL_HOLD_LOCK NMR_CODE(0x818, METHOD_BUFFERED)
#define IOCTL_CANCELABLE NMR_CODE(0x819, METHOD_BUFFERED)
#define IOCTL_LOCKED NMR_CODE(0x81a, METHOD_NEITHER)
#define IOCTL_DELETE NMR_CODE(0x81b, METHOD_BUFFERED)
/* Reads a buffer of the kernel as if it were the program's. */
#define IOCTL_PROBE NMR_CODE(0x81c, METHOD_BUFFERED)
// Inserted into a queue that takes one, and not another.
#define IOCTL_LIMITED NMR_CODE(0x820, METHOD_BUFFERED)
// Calls the middle of a function.
#define IOCTL_MIDDLE NMR_CODE(0x81f, METHOD_BUFFERED)
/* Probes a buffer that is not aligned. */
#define IOCTL_ALIGNMENT NMR_CODE(0x81d, METHOD_BUFFERED)

/* requests.c */
NTSTATUS Complete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);
NTSTATUS Transfer(PIRP Irp, PIO_STACK_LOCATION Stack);

/* waiting.c */
VOID WaitingInitialize(VOID);
NTSTATUS WaitingAdd(PIRP Irp);
NTSTATUS WaitingWake(PIRP Irp, PIO_STACK_LOCATION Stack);
VOID WaitingCleanup(PFILE_OBJECT File);

/* queue.c */
NTSTATUS QueueInitialize(VOID);
NTSTATUS QueueAdd(PIRP Irp);
NTSTATUS QueueTake(PIRP Irp);
NTSTATUS QueueLimited(PIRP Irp);
NTSTATUS QueueContext(PIRP Irp);
VOID QueueCleanup(PFILE_OBJECT File);

/* store.c */
extern DRIVER_DISPATCH Store;

/* mistakes.c */
extern BOOLEAN LeaveBehind;
NTSTATUS Mistake(PDEVICE_OBJECT Device, PIRP Irp, PIO_STACK_LOCATION Stack);
