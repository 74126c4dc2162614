//! The functions that a driver calls and the WDK of the set-up does not have, read from what Cargo prints.

use std::collections::BTreeSet;

/// The names that have been found.
#[derive(Default)]
pub(crate) struct Missing {
    kernel: BTreeSet<String>,
    framework: BTreeSet<String>,
}

impl Missing {
    /// Looks at one line that Cargo has printed.
    pub(crate) fn look(&mut self, line: &str) {
        if let Some((_, symbol)) = line.split_once("error: undefined symbol: ") {
            // Data is referred to by the pointer to it, and the linker says so.
            self.add(symbol.trim().trim_start_matches("__declspec(dllimport) "));
        } else if line.contains("error[E0425]: cannot find function `") {
            quoted(line).take(1).for_each(|name| self.add(name));
        } else if line.contains("error[E0432]: unresolved import") {
            let paths = quoted(line).filter_map(|path| path.strip_prefix("wdk_sys::"));
            let names = paths.filter_map(|path| path.rsplit("::").next());
            names.for_each(|name| self.add(name));
        } else if let Some((_, name)) = line.split_once("error: Failed to find function info for ")
        {
            self.framework.insert(name.trim().to_owned());
        }
    }

    /// Adds a name that looks like those of the functions of Windows.
    fn add(&mut self, name: &str) {
        let is_exported = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric());
        if is_exported {
            self.kernel.insert(name.to_owned());
        }
    }

    /// The line that says how to do without, or `None` if nothing is missing.
    pub(crate) fn advice(&self) -> Option<String> {
        let listed = |names: &BTreeSet<String>| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.join(", ")
        };
        if !self.kernel.is_empty() {
            return Some(format!(
                "{} is not in this WDK: declare it in the driver, in a block with `#[link(name = \
                 \"ntoskrnl.exe\", kind = \"raw-dylib\", modifiers = \"+verbatim\")]`, as \
                 docs/building.md shows",
                listed(&self.kernel)
            ));
        }
        (!self.framework.is_empty()).then(|| {
            format!(
                "{} has no prototype in this WDK: declare its `PFN_…`, as docs/building.md says",
                listed(&self.framework)
            )
        })
    }
}

/// What stands between pairs of backquotes.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Vec<String> {
        let mut missing = Missing::default();
        for line in lines {
            missing.look(line);
        }
        missing.kernel.into_iter().collect()
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
    fn a_function_of_the_framework_has_advice_of_its_own() {
        let mut missing = Missing::default();
        assert_eq!(missing.advice(), None);
        missing.look("error: Failed to find function info for WdfUsbTargetPipeGetType");
        let advice = missing.advice().unwrap();
        assert!(
            advice.starts_with("WdfUsbTargetPipeGetType has no prototype"),
            "{advice}"
        );
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
