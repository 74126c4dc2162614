/* That of mingw-w64 declares once more what <srb.h> has, with the same layout. */
#pragma once
#include <srb.h>
#define _SCSI_WMI_REQUEST_BLOCK _STORPORT_WMI_REQUEST_BLOCK
#define SCSI_WMI_REQUEST_BLOCK STORPORT_WMI_REQUEST_BLOCK
#define PSCSI_WMI_REQUEST_BLOCK PSTORPORT_WMI_REQUEST_BLOCK
#include_next <storport.h>
#undef _SCSI_WMI_REQUEST_BLOCK
#undef SCSI_WMI_REQUEST_BLOCK
#undef PSCSI_WMI_REQUEST_BLOCK
