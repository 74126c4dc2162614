// The headers as C++, where a large structure is assigned.
#include <initguid.h>
#include <nmr_host.h>
#include <nmr_kernel.h>
#include <ntifs.h>
#include <wsk.h>

struct Large {
    char bytes[3000];
};

NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
void Copy(Large *to, const Large *from);

NTSTATUS ClientDetachProvider(PVOID ClientBindingContext)
{
    static KSPIN_LOCK lock;
    KIRQL irql;
    KeAcquireSpinLock(&lock, &irql);
    KeReleaseSpinLock(&lock, irql);
    return ClientBindingContext != nullptr ? STATUS_PENDING : STATUS_SUCCESS;
}

void Copy(Large *to, const Large *from)
{
    *to = *from;
}
