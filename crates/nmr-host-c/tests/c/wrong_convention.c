/* Not valid on x86-64 except on Windows: a callback without NTAPI. */
#include "netioddk.h"

NTSTATUS detach(PVOID ClientBindingContext);

const NPI_CLIENT_CHARACTERISTICS characteristics = {.ClientDetachProvider = detach};
