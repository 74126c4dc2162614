//! The rules, each with the reason why it is one. Numbers are those of `InfVerif`.

mod device;
mod file;
mod sections;
mod service;
mod version;

use super::check::Rule;

macro_rules! rules {
    ($($name:literal $check:path, $reason:literal;)*) => {
        pub(super) static RULES: &[Rule] = &[
            $(Rule { name: $name, reason: $reason, check: $check }),*
        ];
    };
}

rules! {
    "file-name" file::file_name,
        "the package, its catalog and its image have one name";
    "encoding" file::encoding,
        "Windows reads INF files in ANSI or UTF-16 with a mark (InfVerif 1003)";
    "line-ends" file::line_ends,
        "lines of an INF end with CRLF";
    "signature" version::signature,
        "Windows refuses a file without this signature (InfVerif 1001)";
    "class" version::class,
        "a device has a class that its driver may have (InfVerif 1010, 1280, 1281, 1284, 1286)";
    "provider" version::provider,
        "the package names who provides it (InfVerif 1204, 1013)";
    "catalog-file" version::catalog_file,
        "without its catalog the package counts as unsigned (InfVerif 1233, 1214)";
    "driver-version" version::driver_version,
        "Windows ranks drivers by date and version (InfVerif 1217, 1218, 1233)";
    "pnp-lockdown" version::pnp_lockdown,
        "it keeps other programs from changing the driver's files (InfVerif 1324)";
    "class-install" version::class_install,
        "classes of Windows are not installed again (InfVerif 1285)";
    "driver-store" device::driver_store,
        "a driver that stays in the driver store has directory 13 (InfVerif 1322, 1275)";
    "models" device::models,
        "a device is looked up in the models that [Manufacturer] names (InfVerif 1011, 1287)";
    "models-build" device::models_build,
        "Windows installs the package and cannot load the driver if it lacks the framework";
    "hardware-id" device::hardware_id,
        "a driver is found by hardware id (InfVerif 1261, 1271)";
    "device-sections" device::device_sections,
        "Windows reads the sections of the install section that it chose";
    "co-installers" sections::co_installers,
        "the framework comes with Windows, and co-installers are refused (InfVerif 1303)";
    "image-copied" service::image_copied,
        "the service starts an image that the package installs (InfVerif 2084)";
    "source-disks" device::source_disks,
        "a file is copied from a disk that is named (InfVerif 1230, 1008, 1273)";
    "service-values" service::values,
        "a kernel driver that starts with its device has types 1 and 3 and error control 1 (InfVerif 1234)";
    "service-binary" service::binary,
        "the image is started from where it was copied to (InfVerif 2085)";
    "one-service" service::one_service,
        "a device has exactly one associated service (InfVerif 1296, 1211)";
    "service-name" service::name,
        "names of samples are reserved, and KMDF keeps 31 characters (InfVerif 1017)";
    "kmdf-service" service::kmdf_service,
        "the framework is bound to the service by its name (InfVerif 1084)";
    "kmdf-version" service::kmdf_version,
        "the framework's version is the one that the driver is built for (InfVerif 1084)";
    "strings-defined" sections::strings_defined,
        "a token without a string stays as it is written (InfVerif 1235)";
    "strings-used" sections::strings_used,
        "a string that nothing uses is left over";
    "sections-used" sections::sections_used,
        "a section that nothing names is not read (InfVerif 2083)";
    "sections-twice" sections::sections_twice,
        "Windows reads sections of one name as one (InfVerif 1209)";
    "registry-root" sections::registry_root,
        "an isolated driver writes below HKR only (InfVerif 1320, 1321)";
    "to-do" sections::to_do,
        "something is left to do";
    "macros" sections::macros,
        "stampinf fills in $ARCH$, $KMDFVERSION$ and their like, and Windows none (InfVerif 1274)";
    "device-security" device::security,
        "the descriptor decides who opens the device";
    "secure-open" device::secure_open,
        "without FILE_DEVICE_SECURE_OPEN the descriptor does not guard paths behind the device's name";
    "nothing-deleted" sections::nothing_deleted,
        "a driver in the driver store deletes nothing, and is installed for a device (InfVerif 1102)";
}
