/* The QUOTA client: uses the first provider that comes, from any thread. */
#include "modules.h"

#define CLIENT_TAG 'lCtQ'

typedef struct _CLIENT_BINDING {
    HANDLE NmrBindingHandle;
    PVOID ProviderContext;
    const QUOTA_PROVIDER_DISPATCH *Provider;
    ULONG Calls;       /* into the provider, in progress; under Lock */
    BOOLEAN Detaching; /* under Lock */
} CLIENT_BINDING;

static KSPIN_LOCK Lock;
static BOOLEAN Claimed;         /* a provider is in use, or about to be; under Lock */
static CLIENT_BINDING *Current; /* the binding that calls go through; under Lock */
static HANDLE ClientHandle;
static CLIENT_EXHAUSTED_FN *OnExhausted;

static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;

/* {0d4c7f43-8d1c-44a4-9d94-5c3c4c1f7a02} */
const NPI_MODULEID ClientModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    {{0x0d4c7f43, 0x8d1c, 0x44a4, {0x9d, 0x94, 0x5c, 0x3c, 0x4c, 0x1f, 0x7a, 0x02}}},
};

static const QUOTA_CHARACTERISTICS Quota = {QUOTA_VERSION};

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    0,
    sizeof(NPI_CLIENT_CHARACTERISTICS),
    ClientAttachProvider,
    ClientDetachProvider,
    ClientCleanupBindingContext,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &QUOTA_NPIID, &ClientModuleId, 0, &Quota},
};

static VOID Exhausted(PVOID ClientBindingContext, ULONG Granted)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    OnExhausted(Granted);
}

static const QUOTA_CLIENT_DISPATCH Dispatch = {Exhausted};

/* Takes the place of the one provider, or gives it back. Returns whether it was free. */
static BOOLEAN Claim(BOOLEAN Claims)
{
    KIRQL irql;
    BOOLEAN free;
    KeAcquireSpinLock(&Lock, &irql);
    free = !Claimed;
    Claimed = Claims;
    KeReleaseSpinLock(&Lock, irql);
    return free;
}

static NTSTATUS ClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientContext,
                                     PNPI_REGISTRATION_INSTANCE Provider)
{
    const QUOTA_CHARACTERISTICS *quota = Provider->NpiSpecificCharacteristics;
    const VOID *dispatch = NULL;
    CLIENT_BINDING *binding;
    NTSTATUS status;
    KIRQL irql;
    UNREFERENCED_PARAMETER(ClientContext);

    if (quota == NULL || quota->Version != QUOTA_VERSION || !Claim(TRUE)) {
        return STATUS_NOINTERFACE;
    }
    binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *binding, CLIENT_TAG);
    if (binding == NULL) {
        Claim(FALSE);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->NmrBindingHandle = NmrBindingHandle;
    status = NmrClientAttachProvider(NmrBindingHandle, binding, &Dispatch,
                                     &binding->ProviderContext, &dispatch);
    if (status != STATUS_SUCCESS) {
        Claim(FALSE);
        ExFreePoolWithTag(binding, CLIENT_TAG);
        return status;
    }
    binding->Provider = dispatch;
    KeAcquireSpinLock(&Lock, &irql);
    Current = binding;
    KeReleaseSpinLock(&Lock, irql);
    return STATUS_SUCCESS;
}

static NTSTATUS ClientDetachProvider(PVOID ClientBindingContext)
{
    CLIENT_BINDING *binding = ClientBindingContext;
    BOOLEAN busy;
    KIRQL irql;
    KeAcquireSpinLock(&Lock, &irql);
    Claimed = FALSE;
    Current = NULL;
    binding->Detaching = TRUE;
    busy = binding->Calls != 0;
    KeReleaseSpinLock(&Lock, irql);
#ifdef PLANT_FORGOTTEN_CALLS
    busy = FALSE; /* a mistake on purpose */
#endif
    return busy ? STATUS_PENDING : STATUS_SUCCESS;
}

static VOID ClientCleanupBindingContext(PVOID ClientBindingContext)
{
    ExFreePoolWithTag(ClientBindingContext, CLIENT_TAG);
}

/* Begins a call into the provider. Until it ends the detach is pending, so the binding stays. */
static CLIENT_BINDING *BeginCall(VOID)
{
    CLIENT_BINDING *binding;
    KIRQL irql;
    KeAcquireSpinLock(&Lock, &irql);
    binding = Current;
    if (binding != NULL) {
        binding->Calls++;
    }
    KeReleaseSpinLock(&Lock, irql);
    return binding;
}

/* Ends it. The last one of a binding that detaches completes the detach and touches it no more. */
static VOID EndCall(CLIENT_BINDING *Binding)
{
    HANDLE handle = Binding->NmrBindingHandle;
    BOOLEAN last;
    KIRQL irql;
    KeAcquireSpinLock(&Lock, &irql);
    Binding->Calls--;
    last = Binding->Calls == 0 && Binding->Detaching;
    KeReleaseSpinLock(&Lock, irql);
    if (last) {
        NmrClientDetachProviderComplete(handle);
#ifdef PLANT_LATE_TOUCH
        Binding->NmrBindingHandle = NULL; /* a mistake on purpose */
#endif
    }
}

NTSTATUS ClientSend(ULONG Bytes)
{
    CLIENT_BINDING *binding = BeginCall();
    BOOLEAN granted;
    if (binding == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    granted = binding->Provider->Charge(binding->ProviderContext, Bytes);
    EndCall(binding);
    return granted ? STATUS_SUCCESS : STATUS_QUOTA_EXCEEDED;
}

NTSTATUS ClientRegister(CLIENT_EXHAUSTED_FN *OnFirstRefusal)
{
    KeInitializeSpinLock(&Lock);
    OnExhausted = OnFirstRefusal;
    return NmrRegisterClient(&Characteristics, NULL, &ClientHandle);
}

NTSTATUS ClientDeregister(VOID)
{
    return NmrDeregisterClient(ClientHandle);
}

VOID ClientWait(VOID)
{
    (VOID)NmrWaitForClientDeregisterComplete(ClientHandle);
}
