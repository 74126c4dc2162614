//! Text from files, for messages.

/// A text that comes from a file, a path or an image, without what could upset a terminal, break a
/// line or let the text look like another one: control characters, separators of lines and
/// paragraphs, marks that change the direction of writing, and marks that cannot be seen are spelled
/// out, as in `\u{202e}`. A text that is printable already stays as it is.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        if upsets(character) {
            result.extend(character.escape_default());
        } else {
            result.push(character);
        }
    }
    result
}

fn upsets(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}'
            | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_upsets_a_reader_is_spelled_out() {
        assert_eq!(printable("höflich 1\\'\""), "höflich 1\\'\"");
        assert_eq!(
            printable("\u{1b}[31m\0\n\u{9b}1m"),
            "\\u{1b}[31m\\u{0}\\n\\u{9b}1m"
        );
        assert_eq!(
            printable("sys\u{202e}txt.\u{2066}a"),
            "sys\\u{202e}txt.\\u{2066}a"
        );
        assert_eq!(
            printable("one\u{2028}two\u{2029}"),
            "one\\u{2028}two\\u{2029}"
        );
        let once = printable("\u{feff}\u{7f}");
        assert_eq!(printable(&once), once);
    }
}
