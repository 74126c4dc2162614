//! Exports of the modules of Windows: mingw-w64's lists, and our own of what is newer or missing there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::Cross;
use crate::embedded;
use crate::mingw::Mingw;
use crate::tree::Tree;
use crate::wdk::root;

/// The libraries that mingw-w64 has, and the modules that they stand for.
const PACKAGED: [(&str, &str); 11] = [
    ("classpnp", "CLASSPNP.SYS"),
    ("hal", "HAL.dll"),
    ("hidclass", "HIDCLASS.SYS"),
    ("hidparse", "HIDPARSE.SYS"),
    ("ks", "ks.sys"),
    ("ksecdd", "ksecdd.sys"),
    ("ndis", "NDIS.SYS"),
    ("netio", "NETIO.SYS"),
    ("ntoskrnl", "ntoskrnl.exe"),
    ("usbd", "USBD.SYS"),
    ("wmilib", "WMILIB.SYS"),
];

/// What one module exports.
struct Exports {
    module: String,
    /// The names, with `true` for data.
    names: BTreeMap<String, bool>,
}

/// Writes a list for each library. Returns their paths.
pub(super) fn make(cross: &Cross, mingw: &Mingw, made: &mut Tree) -> Result<Vec<PathBuf>> {
    let mut libraries = BTreeMap::new();
    for (name, module) in PACKAGED {
        let names = mingw.exports(name)?;
        // A package of another distribution may not have all of them.
        if !names.is_empty() {
            let module = module.to_owned();
            libraries.insert(name.to_owned(), Exports { module, names });
        }
    }
    for (file, text) in embedded::directory("exports")? {
        let name = file.strip_suffix(".def").context("no list of exports")?;
        let ours = Exports::read(text).context(file)?;
        let library = libraries.entry(name.to_owned()).or_insert_with(|| Exports {
            module: ours.module.clone(),
            names: BTreeMap::new(),
        });
        if library.module != ours.module {
            bail!("{file} is for {}, not {}", ours.module, library.module);
        }
        for (name, is_data) in ours.names {
            library.names.entry(name).or_insert(is_data);
        }
    }
    let mut paths = Vec::new();
    for (name, exports) in libraries {
        let path = root(cross).join(format!("exports/{name}.def"));
        made.write(&path, exports.to_string().as_bytes())?;
        paths.push(path);
    }
    Ok(paths)
}

/// Writes our list of what a library of the SDK for programs exports, which a kit for drivers may lack.
pub(super) fn of_programs(cross: &Cross, made: &mut Tree) -> Result<PathBuf> {
    let path = root(cross).join("exports/rpcrt4.def");
    let list = Exports::read(embedded::text("exports/rpcrt4.def")?)?;
    made.write(&path, list.to_string().as_bytes())?;
    Ok(path)
}

impl Exports {
    /// Reads one of our lists: `LIBRARY` and a name, `EXPORTS`, and a name a line, with `DATA` if it is
    /// that of data. A semicolon begins a comment.
    fn read(text: &str) -> Result<Self> {
        let lines = text.lines().map(|line| {
            let content = line.split_once(';').map_or(line, |(content, _)| content);
            content.trim()
        });
        let mut lines = lines.filter(|line| !line.is_empty());
        let module = lines.next().and_then(|line| line.strip_prefix("LIBRARY "));
        let module = module.context("no LIBRARY in the first line")?.to_owned();
        if lines.next() != Some("EXPORTS") {
            bail!("no EXPORTS in the second line");
        }
        let names = lines.map(|line| match line.strip_suffix(" DATA") {
            Some(name) => (name.to_owned(), true),
            None => (line.to_owned(), false),
        });
        let names = names.collect();
        Ok(Self { module, names })
    }
}

impl std::fmt::Display for Exports {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "LIBRARY {}\nEXPORTS", self.module)?;
        for (name, is_data) in &self.names {
            let kind = if *is_data { " DATA" } else { "" };
            writeln!(formatter, "    {name}{kind}")?;
        }
        formatter.write_str("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_written_as_it_is_read() {
        let text = "LIBRARY x.sys\nEXPORTS\n    A\n    B DATA\n";
        assert_eq!(Exports::read(text).unwrap().to_string(), text);
        let commented = "; words\nLIBRARY x.sys\nEXPORTS ; more\n\n  A\nB DATA ; of\n";
        assert_eq!(Exports::read(commented).unwrap().to_string(), text);
        assert!(Exports::read("EXPORTS\nA\n").is_err());
    }
}
