//! Names in a new package.

use std::path::Path;

use super::NewOptions;

/// What a package may not be called: keywords of Rust, and crates that the template uses.
const TAKEN: [&str; 60] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "driver",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "interface",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "nmr",
    "nmr-driver",
    "nmr-host",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "try-lock",
    "type",
    "unsafe",
    "use",
    "virtual",
    "wdk",
    "wdk-sys",
    "where",
    "while",
];
/// What an interface may not be called: types that the template's files import.
const TAKEN_TYPES: [&str; 13] = [
    "Adder",
    "Caller",
    "Characteristics",
    "Client",
    "Device",
    "Driver",
    "Error",
    "Guid",
    "Modules",
    "Option",
    "Provider",
    "Result",
    "Self",
];
/// The longest name: that of a service has at most 256 characters, and file names get endings.
const LONGEST: usize = 64;

/// The names.
#[derive(Debug)]
pub(super) struct Names {
    /// The package: `my-drv`.
    pub(super) package: String,
    /// The library and the image: `my_drv`.
    pub(super) library: String,
    /// In the names of types, of the service and of the hardware id: `MyDrv`.
    pub(super) camel: String,
    /// The interface: `MyDrvNpi`.
    pub(super) npi: String,
}

impl Names {
    /// Takes the names from the command line, and fails with a line that says what is wrong with one.
    pub(super) fn choose(options: &NewOptions) -> Result<Self, String> {
        let package = match &options.name {
            Some(name) => name.clone(),
            None => directory_name(&options.path)?,
        };
        check_package(&package)?;
        let camel = camel(&package);
        let npi = options.npi.clone().unwrap_or_else(|| format!("{camel}Npi"));
        check_type(&npi)?;
        let library = package.replace('-', "_");
        Ok(Self {
            package,
            library,
            camel,
            npi,
        })
    }
}

/// The name of a directory, which may be there, as `.` is.
fn directory_name(path: &Path) -> Result<String, String> {
    let full = path.canonicalize();
    let name = full
        .as_deref()
        .unwrap_or(path)
        .file_name()
        .and_then(|name| name.to_str());
    name.map(str::to_owned)
        .ok_or_else(|| format!("{} has no name for a package: give --name", path.display()))
}

fn check_package(name: &str) -> Result<(), String> {
    let wrong = |why: &str| {
        let text = format!("`{name}` cannot be the name of a driver's package: {why}");
        Err(format!("{text}; give another with --name"))
    };
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return wrong("it has to begin with a small letter from a to z");
    }
    let is_part =
        |part: char| part.is_ascii_lowercase() || part.is_ascii_digit() || "-_".contains(part);
    if !name.chars().all(is_part) {
        return wrong("small letters from a to z, digits, `-` and `_` are allowed");
    }
    if name.len() > LONGEST {
        return wrong(&format!("it has more than {LONGEST} characters"));
    }
    if TAKEN.contains(&name) {
        return wrong("the word has another meaning");
    }
    Ok(())
}

fn check_type(name: &str) -> Result<(), String> {
    let wrong = |why: &str| {
        Err(format!(
            "--npi: `{name}` cannot be the name of an interface: {why}"
        ))
    };
    let is_part = |part: char| part.is_ascii_alphanumeric();
    if !name.starts_with(|first: char| first.is_ascii_uppercase()) || !name.chars().all(is_part) {
        return wrong("it is a type in Rust: a capital letter, then letters and digits");
    }
    if name.len() > LONGEST {
        return wrong(&format!("it has more than {LONGEST} characters"));
    }
    if TAKEN_TYPES.contains(&name) {
        return wrong("the files of the package use that name for something else");
    }
    Ok(())
}

/// `my-drv` as `MyDrv`.
fn camel(name: &str) -> String {
    let words = name.split(['-', '_']).filter(|word| !word.is_empty());
    words
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_come_from_that_of_the_package() {
        assert_eq!(camel("my-drv_2"), "MyDrv2");
        assert_eq!(camel("x"), "X");
    }

    #[test]
    fn what_rust_or_windows_would_refuse_is_refused() {
        let long = "x".repeat(65);
        for wrong in [
            "", "9x", "My", "a b", "a/b", "ü", "fn", "nmr", "core", &long,
        ] {
            assert!(check_package(wrong).is_err(), "{wrong}");
        }
        for right in ["a", "my-drv", "flow_2"] {
            assert_eq!(check_package(right), Ok(()));
        }
        for wrong in ["", "my", "My-Npi", "Result", "Self"] {
            assert!(check_type(wrong).is_err(), "{wrong}");
        }
        assert_eq!(check_type("FlowControl"), Ok(()));
    }
}
