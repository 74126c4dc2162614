/*
 * wsk.h: what Winsock Kernel and the NMR have in common: WSK's NPIID. Its sockets are not here.
 */
#ifndef NMR_KERNEL_WSK_H
#define NMR_KERNEL_WSK_H

#include "wdm.h"

/* {2227e803-8d8b-11d4-abad-009027719e09} */
DEFINE_GUID(NPI_WSK_INTERFACE_ID, 0x2227e803, 0x8d8b, 0x11d4, 0xab, 0xad, 0x00, 0x90, 0x27, 0x71,
            0x9e, 0x09);

#endif /* NMR_KERNEL_WSK_H */
