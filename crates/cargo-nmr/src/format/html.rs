//! A page for a browser: everything that happened, in lanes, to be filtered and looked into. It
//! needs nothing but itself. The parts of the page are in `html/`.

mod model;

use std::io::{self, Write};

use driver_host::printable;

use crate::check::Verdict;
use crate::run::Run;
use crate::trace::Trace;

const PAGE: &str = include_str!("html/page.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = concat!(
    include_str!("html/model.js"),
    include_str!("html/timeline.js"),
    include_str!("html/details.js"),
);

/// Writes all of a run.
pub(super) fn write(
    run: &Run,
    trace: &Trace<'_>,
    verdict: &Verdict,
    out: &mut dyn Write,
) -> io::Result<()> {
    let model = serde_json::to_string(&model::Model::new(run, trace, verdict))?;
    let mut rest = PAGE;
    for (place, text) in [
        ("{{title}}", &*escape(&printable(&run.title))),
        ("{{style}}", STYLE),
        ("{{run}}", &*in_script(&model)),
        ("{{script}}", SCRIPT),
    ] {
        let (before, after) = rest.split_once(place).unwrap_or((rest, ""));
        out.write_all(before.as_bytes())?;
        out.write_all(text.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// A text as HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// JSON that can stand in a script element, which ends at a `<` of its own wherever that is. In JSON
/// such characters are only in strings, where they can be spelled out.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_json_ends_a_script() {
        let hostile = "</script><!--<script>&lt;\"'";
        let json = in_script(&serde_json::to_string(hostile).unwrap());
        assert!(!json.contains(['<', '>', '&']), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
        assert_eq!(escape("<b>&"), "&lt;b&gt;&amp;");
    }

    #[test]
    fn each_part_has_one_place() {
        for place in ["{{title}}", "{{style}}", "{{run}}", "{{script}}"] {
            assert_eq!(PAGE.matches(place).count(), 1, "{place}");
        }
        // Neither ends the element that it is in.
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
    }
}
