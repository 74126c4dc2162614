//! Functions that images call and that do nothing: each returns what is zero for its type. All are planted at once, behind a
//! switch in the environment, so that one build serves every fault of this kind.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use driver_build::files;

use super::copy::Copy;
use super::table::{Table, once};

/// The variable that names the function that does nothing.
pub(super) const SWITCH: &str = "NMR_PLANTED";

/// Plants the switches of a table.
pub(super) fn plant(table: &Table, copy: &Copy) -> Result<()> {
    let mut texts = BTreeMap::new();
    for fault in table.faults.iter().filter(|fault| fault.empty.is_some()) {
        let path = copy.root().join(&fault.file);
        let text = match texts.remove(&path) {
            Some(text) => text,
            None => files::read(&path)?,
        };
        texts.insert(path, fault.plant(&text)?);
    }
    for (path, text) in texts {
        fs::write(path, text)?;
    }
    Ok(())
}

/// A text in which a function does nothing while the switch has a name.
pub(super) fn switched(text: &str, function: &str, name: &str) -> Result<String> {
    let start = once(text, &format!("extern \"win64\" fn {function}("))?;
    let body = text[start..].find('{').context("it has no body")?;
    let switch = format!(
        " if ::std::env::var_os({SWITCH:?}).is_some_and(|name| name == {name:?}) {{ \
         return unsafe {{ ::core::mem::zeroed() }}; }}"
    );
    let mut text = text.to_owned();
    text.insert_str(start + body + 1, &switch);
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_switch_is_the_first_statement_of_the_body() {
        let text = "fn set() {}\nextern \"win64\" fn set(event: &Event) -> i32 {\n    1\n}\n";
        let planted = super::switched(text, "set", "event::set").unwrap();
        let (before, rest) = planted.split_once(" if ").unwrap();
        assert_eq!(
            before,
            "fn set() {}\nextern \"win64\" fn set(event: &Event) -> i32 {"
        );
        assert!(rest.contains("\"NMR_PLANTED\"") && rest.contains("\"event::set\""));
        assert!(rest.ends_with("; }\n    1\n}\n"), "{rest}");
    }
}
