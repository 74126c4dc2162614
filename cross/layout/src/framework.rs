//! The sizes of KMDF's other structures, as Microsoft's headers of KMDF 1.31 give them: the framework looks
//! at the size that a driver passes.

use wdk_sys::*;

layout!(WDF_CHILD_ADDRESS_DESCRIPTION_HEADER: size 0x04 {});
layout!(WDF_CHILD_IDENTIFICATION_DESCRIPTION_HEADER: size 0x04 {});
layout!(WDF_CHILD_LIST_CONFIG: size 0x60 {});
layout!(WDF_CHILD_LIST_ITERATOR: size 0x28 {});
layout!(WDF_CHILD_RETRIEVE_INFO: size 0x28 {});
layout!(WDF_COMMON_BUFFER_CONFIG: size 0x08 {});
layout!(WDF_CUSTOM_TYPE_CONTEXT: size 0x10 {});
layout!(WDF_DEVICE_PNP_CAPABILITIES: size 0x30 {});
layout!(WDF_DEVICE_PNP_NOTIFICATION_DATA: size 0x0c {});
layout!(WDF_DEVICE_POWER_CAPABILITIES: size 0x50 {});
layout!(WDF_DEVICE_POWER_NOTIFICATION_DATA: size 0x0c {});
layout!(WDF_DEVICE_POWER_POLICY_IDLE_SETTINGS: size 0x24 {});
layout!(WDF_DEVICE_POWER_POLICY_NOTIFICATION_DATA: size 0x0c {});
layout!(WDF_DEVICE_POWER_POLICY_WAKE_SETTINGS: size 0x14 {});
layout!(WDF_DEVICE_PROPERTY_DATA: size 0x18 {});
layout!(WDF_DEVICE_STATE: size 0x20 {});
layout!(WDF_DMA_ENABLER_CONFIG: size 0x50 {});
layout!(WDF_DMA_SYSTEM_PROFILE_CONFIG: size 0x20 {});
layout!(WDF_DPC_CONFIG: size 0x18 {});
layout!(WDF_DRIVER_VERSION_AVAILABLE_PARAMS: size 0x0c {});
layout!(WDF_FDO_EVENT_CALLBACKS: size 0x20 {});
layout!(WDF_INTERRUPT_CONFIG: size 0x68 {});
layout!(WDF_INTERRUPT_EXTENDED_POLICY: size 0x20 {});
layout!(WDF_INTERRUPT_INFO: size 0x40 {});
layout!(WDF_IO_FORWARD_PROGRESS_RESERVED_POLICY_SETTINGS: size 0x08 {});
layout!(WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY: size 0x28 {});
layout!(WDF_IO_TARGET_OPEN_PARAMS: size 0x88 {});
layout!(WDF_IO_TYPE_CONFIG: size 0x10 {});
layout!(WDF_MEMORY_DESCRIPTOR: size 0x18 {});
layout!(WDF_PDO_EVENT_CALLBACKS: size 0x40 {});
layout!(WDF_PNPPOWER_EVENT_CALLBACKS: size 0x90 {});
layout!(WDF_POWER_FRAMEWORK_SETTINGS: size 0x48 {});
layout!(WDF_POWER_POLICY_EVENT_CALLBACKS: size 0x40 {});
layout!(WDF_QUERY_INTERFACE_CONFIG: size 0x30 {});
layout!(WDF_REMOVE_LOCK_OPTIONS: size 0x08 {});
layout!(WDF_REQUEST_COMPLETION_PARAMS: size 0x48 {});
layout!(WDF_REQUEST_FORWARD_OPTIONS: size 0x08 {});
layout!(WDF_REQUEST_REUSE_PARAMS: size 0x18 {});
layout!(WDF_REQUEST_SEND_OPTIONS: size 0x10 {});
layout!(WDF_TASK_SEND_OPTIONS: size 0x10 {});
layout!(WDF_WMI_INSTANCE_CONFIG: size 0x40 {});
layout!(WDF_WMI_PROVIDER_CONFIG: size 0x28 {});
