/* initguid.h: DEFINE_GUID defines here without it. */
#ifndef NMR_KERNEL_INITGUID_H
#define NMR_KERNEL_INITGUID_H

#include "ntdef.h"

#endif /* NMR_KERNEL_INITGUID_H */
