//! `cargo xtask size`: what is in the image of the driver that ships. The linker has written it down in
//! its map, because the WDK asks for one.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use driver_build::{Arch, files, output};

use crate::build::Builder;
use crate::options::{BuildDriver, Role};

/// What the map says.
struct Map<'a> {
    /// Lengths of the parts of sections, by their names.
    parts: BTreeMap<&'a str, u64>,
    /// Addresses and names of the functions, in order. The last ends where `code_end` is.
    functions: Vec<(u64, &'a str)>,
    code_end: u64,
}

pub(crate) fn run(builder: &Builder<'_>) -> Result<()> {
    let build = BuildDriver {
        role: Role::Both,
        arch: Arch::X64,
        release: true,
    };
    builder.sample(&build)?;
    let text = files::read(&builder.map()?)?;
    let map = Map::read(&text).context("the linker's map is not as expected")?;
    output::line(format_args!(
        "\nBytes by section, of which .bss is not in the file:"
    ));
    let parts = map
        .parts
        .iter()
        .map(|(name, size)| (*size, (*name).to_owned()));
    print(parts.collect());
    output::line(format_args!("\nBytes of code by crate:"));
    let mut crates = BTreeMap::<_, u64>::new();
    for (size, name) in map.sizes() {
        *crates.entry(crate_of(&name)).or_default() += size;
    }
    print(
        crates
            .into_iter()
            .map(|(name, size)| (size, name))
            .collect(),
    );
    output::line(format_args!("\nBytes of code by function:"));
    print(map.sizes());
    Ok(())
}

fn print(mut sizes: Vec<(u64, String)>) {
    sizes.sort_by_key(|&(size, _)| std::cmp::Reverse(size));
    for (size, name) in sizes {
        output::line(format_args!("{size:>7}  {name}"));
    }
}

/// The crate in whose source a function is, as far as its name says.
fn crate_of(function: &str) -> String {
    if function.contains("drop_in_place") {
        return "drops".to_owned();
    }
    let start = function.trim_start_matches(['<', '&', '_']);
    match start.split_once("::") {
        Some((name, _)) => name.to_owned(),
        None if function == "DriverEntry" => "exnpi_driver".to_owned(),
        None => "WDK and compiler".to_owned(),
    }
}

impl<'a> Map<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut map = Self {
            parts: BTreeMap::new(),
            functions: Vec::new(),
            code_end: 0,
        };
        for line in text.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                [start, length, name, "CODE" | "DATA"] => {
                    let length = hexadecimal(length.strip_suffix('H')?)?;
                    let name = name.split_once('$').map_or(*name, |(name, _)| name);
                    *map.parts.entry(name).or_default() += length;
                    if let Some(start) = in_code(start) {
                        map.code_end = map.code_end.max(start + length);
                    }
                }
                [address, name, _, _] => {
                    if let Some(address) = in_code(address) {
                        map.functions.push((address, name));
                    }
                }
                _ => {}
            }
        }
        // The stubs of imports come after all code, and are in no part.
        map.functions.retain(|&(address, _)| address < map.code_end);
        map.functions.sort_unstable();
        map.functions.dedup_by_key(|&mut (address, _)| address);
        (!map.functions.is_empty()).then_some(map)
    }

    /// How far it is from each function to the next, and its name.
    fn sizes(&self) -> Vec<(u64, String)> {
        let ends = self.functions.iter().skip(1).map(|&(address, _)| address);
        let ends = ends.chain([self.code_end]);
        let sizes = self
            .functions
            .iter()
            .zip(ends)
            .map(|(&(address, name), end)| {
                let name = format!("{:#}", rustc_demangle::demangle(name));
                (end - address, name)
            });
        sizes.collect()
    }
}

/// The offset in the first section, where the code is.
fn in_code(address: &str) -> Option<u64> {
    hexadecimal(address.strip_prefix("0001:")?)
}

fn hexadecimal(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Map, crate_of};

    const TEXT: &str = " 0001:00000000 00000030H .text                   CODE
 0001:00000030 00000010H .text$unlikely          CODE
 0002:00000000 00000340H .rdata                  DATA

 0001:00000000       DriverEntry                0000000180001000     driver.o
 0002:00000000       table                      0000000180004000     driver.o
 entry point at         0001:00000020
 Static symbols
 0001:00000020       _ZN3nmr4link8complete17h27821264e3514f38E 0000000180001020     driver.o
";

    #[test]
    fn a_function_ends_where_the_next_begins() {
        let map = Map::read(TEXT).unwrap();
        let sizes = map.sizes();
        assert_eq!(
            sizes,
            [
                (0x20, "DriverEntry".into()),
                (0x20, "nmr::link::complete".into())
            ]
        );
        assert_eq!(
            map.parts.into_iter().collect::<Vec<_>>(),
            [(".rdata", 0x340), (".text", 0x40)]
        );
    }

    #[test]
    fn a_function_belongs_to_the_crate_that_it_begins_with() {
        assert_eq!(crate_of("nmr::link::complete"), "nmr");
        assert_eq!(
            crate_of("<exnpi::Table as nmr::DispatchFor<T>>::TABLE::add"),
            "exnpi"
        );
        assert_eq!(
            crate_of("core::ptr::drop_in_place<nmr::Registration>"),
            "drops"
        );
        assert_eq!(crate_of("FxDriverEntry"), "WDK and compiler");
    }
}
