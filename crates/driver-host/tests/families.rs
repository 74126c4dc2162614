//! The table of functions in `docs/images.md` has every family, with the number of its functions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap()
}

/// The number of rows of each family in the tables of names.
fn implemented() -> BTreeMap<String, usize> {
    let mut families = BTreeMap::new();
    for (table, folder) in [
        ("kernel", "exports"),
        ("netio", "exports"),
        ("wpp", "exports"),
        ("kmdf", "wdf"),
        ("wdfldr", "wdf"),
    ] {
        let text = read(&format!("crates/driver-host/src/functions/{table}.rs"));
        for line in text.lines().filter(|line| line.contains(" => ")) {
            let function = line.split(" => ").nth(1).unwrap();
            let family = match function.split("::").next().unwrap() {
                "nmr_host" => "netio",
                family => family,
            };
            // The kernel's function for the interfaces of devices is with those.
            let folder = if family == "interface" { "wdf" } else { folder };
            *families.entry(format!("{folder}/{family}")).or_default() += 1;
        }
    }
    families
}

#[test]
fn the_documents_have_every_family() {
    let text = read("docs/images.md");
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
        let family = cells.next()?.strip_suffix('`')?;
        let known = ["exports/", "wdf/"];
        known.iter().find(|folder| family.starts_with(*folder))?;
        Some((family.to_owned(), cells.next()?.parse().ok()?))
    });
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), implemented());
}
