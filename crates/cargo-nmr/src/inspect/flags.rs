//! The names of what the headers say in numbers.

/// Some flags and their names.
pub(super) type Names = &'static [(u16, &'static str)];

/// `Characteristics` of the file header, without `IMAGE_FILE_`.
pub(super) const FILE: Names = &[
    (0x0001, "RELOCS_STRIPPED"),
    (0x0002, "EXECUTABLE_IMAGE"),
    (0x0004, "LINE_NUMS_STRIPPED"),
    (0x0008, "LOCAL_SYMS_STRIPPED"),
    (0x0020, "LARGE_ADDRESS_AWARE"),
    (0x0100, "32BIT_MACHINE"),
    (0x0200, "DEBUG_STRIPPED"),
    (0x0400, "REMOVABLE_RUN_FROM_SWAP"),
    (0x0800, "NET_RUN_FROM_SWAP"),
    (0x1000, "SYSTEM"),
    (0x2000, "DLL"),
    (0x4000, "UP_SYSTEM_ONLY"),
];

/// `DllCharacteristics` of the optional header, without `IMAGE_DLLCHARACTERISTICS_`.
pub(super) const DLL: Names = &[
    (0x0020, "HIGH_ENTROPY_VA"),
    (0x0040, "DYNAMIC_BASE"),
    (0x0080, "FORCE_INTEGRITY"),
    (0x0100, "NX_COMPAT"),
    (0x0200, "NO_ISOLATION"),
    (0x0400, "NO_SEH"),
    (0x0800, "NO_BIND"),
    (0x1000, "APPCONTAINER"),
    (0x2000, "WDM_DRIVER"),
    (0x4000, "GUARD_CF"),
    (0x8000, "TERMINAL_SERVER_AWARE"),
];

const SUBSYSTEMS: Names = &[
    (1, "native"),
    (2, "Windows, graphical"),
    (3, "Windows, console"),
    (10, "EFI application"),
    (11, "EFI boot service driver"),
    (12, "EFI runtime driver"),
];

/// The names of the flags that are set. Those without a name are numbers.
pub(super) fn names(flags: u16, names: Names) -> Vec<String> {
    let set = names.iter().filter(|(flag, _)| flags & flag != 0);
    let rest = set.clone().fold(flags, |rest, (flag, _)| rest & !flag);
    let mut found: Vec<_> = set.map(|&(_, name)| name.to_owned()).collect();
    if rest != 0 {
        found.push(format!("{rest:#06x}"));
    }
    found
}

/// The name of a subsystem.
pub(super) fn subsystem(number: u16) -> String {
    let known = SUBSYSTEMS.iter().find(|(known, _)| *known == number);
    known.map_or_else(
        || number.to_string(),
        |(_, name)| format!("{name} ({number})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_names_or_numbers() {
        let expected = [
            "HIGH_ENTROPY_VA",
            "DYNAMIC_BASE",
            "FORCE_INTEGRITY",
            "NX_COMPAT",
        ];
        assert_eq!(names(0x01e0, DLL), expected);
        assert_eq!(names(0x0043, DLL), ["DYNAMIC_BASE", "0x0003"]);
        assert_eq!(subsystem(1), "native (1)");
        assert_eq!(subsystem(77), "77");
    }
}
