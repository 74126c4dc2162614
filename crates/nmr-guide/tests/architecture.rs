//! The table "Where to add things" of `docs/ARCHITECTURE.md` names files and folders that exist.
#![cfg(not(miri))]

use std::fs;

use nmr_guide::project;

#[test]
fn the_places_where_things_are_added_exist() {
    let page = fs::read_to_string(project().join("docs/ARCHITECTURE.md")).unwrap();
    let (_, table) = page.split_once("## Where to add things").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows.skip(1) {
        let places = row.splitn(3, '|').nth(2).unwrap();
        for place in places.split('`').skip(1).step_by(2) {
            let path = project().join(place);
            assert!(path.exists(), "{place} does not exist: {row}");
            named += 1;
        }
    }
    assert!(named > 12, "{named} places");
}
