//! docs/package.md lists the rules as they are; `UPDATE_DOCS=1` writes the table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use driver_package::inf::check::rules;

const START: &str = "<!-- rules -->\n";
const END: &str = "<!-- /rules -->";

#[test]
fn the_documentation_lists_every_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/package.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut table = String::from("| rule | why it is one |\n|---|---|\n");
    for rule in rules() {
        writeln!(table, "| `{}` | {} |", rule.name, rule.reason).unwrap();
    }
    let written = format!("{before}{START}{table}{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &written).unwrap();
    }
    assert!(
        page == written,
        "UPDATE_DOCS=1 cargo test -p driver-package --test rules_table"
    );
}
