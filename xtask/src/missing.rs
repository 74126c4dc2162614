//! The functions that a driver calls and the WDK of the set-up does not have, read from what Cargo prints.

use std::collections::BTreeSet;
use std::fmt;

/// The names that have been found.
#[derive(Default)]
pub(crate) struct Missing(BTreeSet<String>);

impl Missing {
    /// Looks at one line that Cargo has printed.
    pub(crate) fn look(&mut self, line: &str) {
        if let Some((_, symbol)) = line.split_once("error: undefined symbol: ") {
            // Data is referred to by the pointer to it, and the linker says so.
            let name = symbol.trim().trim_start_matches("__declspec(dllimport) ");
            self.add(name);
        } else if line.contains("error[E0425]: cannot find function `") {
            self.0.extend(
                quoted(line)
                    .take(1)
                    .filter(|name| is_exported(name))
                    .map(str::to_owned),
            );
        } else if line.contains("error[E0432]: unresolved import") {
            let names = quoted(line).filter_map(|path| path.strip_prefix("wdk_sys::"));
            let names: Vec<_> = names.filter_map(|path| path.rsplit("::").next()).collect();
            for name in names {
                self.add(name);
            }
        }
    }

    fn add(&mut self, name: &str) {
        if is_exported(name) {
            self.0.insert(name.to_owned());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(String::as_str).collect();
        write!(
            formatter,
            "{} is not in this WDK: declare it in the driver, in a block with `#[link(name = \
             \"ntoskrnl.exe\", kind = \"raw-dylib\", modifiers = \"+verbatim\")]`, as \
             docs/building.md shows",
            names.join(", ")
        )
    }
}

/// What stands between pairs of backquotes.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// Whether a name looks like those of the functions of Windows.
fn is_exported(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Vec<String> {
        let mut missing = Missing::default();
        for line in lines {
            missing.look(line);
        }
        missing.0.into_iter().collect()
    }

    #[test]
    fn the_messages_of_the_linker_and_the_compiler_name_functions() {
        let lines = [
            "  = note: rust-lld: error: undefined symbol: KeMakeCoffee",
            "error[E0432]: unresolved imports `wdk_sys::ntddk::KeMakeTea`, `wdk_sys::ntddk::KeMakeToast`",
            "error[E0425]: cannot find function `KeMakeSoup` in module `wdk_sys::ntddk`",
        ];
        let names = ["KeMakeCoffee", "KeMakeSoup", "KeMakeTea", "KeMakeToast"];
        assert_eq!(found(&lines), names);
    }

    #[test]
    fn other_messages_name_none() {
        let lines = [
            "error[E0425]: cannot find function `helper` in this scope",
            "error[E0432]: unresolved import `crate::Missing`",
            "error[E0425]: cannot find value `X` in this scope",
            "   Compiling wdk-sys v0.5.2",
            "  = note: rust-lld: error: undefined symbol: __chkstk",
        ];
        assert_eq!(found(&lines), [""; 0]);
    }
}
