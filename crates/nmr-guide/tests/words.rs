//! Comments, pages and messages name the actor: the words that hide it do not come back.
#![cfg(not(miri))]

use std::fs;
use std::path::Path;

use nmr_guide::project;

/// Each in two parts, so that this file does not have them.
const HIDE_THE_ACTOR: [(&str, &str); 4] = [
    ("no", "body"),
    ("some", "body"),
    ("who", "ever"),
    ("vou", "ch"),
];

const KINDS: [&str; 9] = ["c", "h", "inx", "jinja", "md", "ps1", "rs", "sh", "toml"];

fn check(directory: &Path, words: &[String], checked: &mut usize) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                check(&path, words, checked);
            }
        } else if extension.is_some_and(|extension| KINDS.contains(&extension)) {
            let text = fs::read_to_string(&path).unwrap().to_lowercase();
            let found = words.iter().find(|word| text.contains(*word));
            assert_eq!(found, None, "{}", path.display());
            *checked += 1;
        }
    }
}

#[test]
fn every_text_names_the_actor() {
    let words = HIDE_THE_ACTOR.map(|(begin, end)| format!("{begin}{end}"));
    let mut checked = 0;
    check(&project(), &words, &mut checked);
    assert!(checked > 500, "{checked} files");
}
