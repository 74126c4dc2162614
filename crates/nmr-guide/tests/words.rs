//! Comments, pages and messages name the actor: the words that hide it do not come back.
#![cfg(not(miri))]

use std::fs;

use nmr_guide::{files_below, project};

/// Each in two parts, so that this file does not have them.
const HIDE_THE_ACTOR: [(&str, &str); 5] = [
    ("any", "body"),
    ("no", "body"),
    ("some", "body"),
    ("who", "ever"),
    ("vou", "ch"),
];

const KINDS: [&str; 9] = ["c", "h", "inx", "jinja", "md", "ps1", "rs", "sh", "toml"];

#[test]
fn every_text_names_the_actor() {
    let words = HIDE_THE_ACTOR.map(|(begin, end)| format!("{begin}{end}"));
    let files = files_below(&project(), &KINDS);
    assert!(files.len() > 500, "{} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap().to_lowercase();
        let found = words.iter().find(|word| text.contains(*word));
        assert_eq!(found, None, "{}", file.display());
    }
}
