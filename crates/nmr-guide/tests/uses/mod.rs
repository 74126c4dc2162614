//! A reader of the paths that a source file uses.

/// Adds the paths that a use tree names, and returns what is behind it.
fn read_tree<'a>(text: &'a str, before: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') {
            let before_it = rest.trim_start_matches([',', ' ', '\n']);
            if before_it.is_empty() || before_it.starts_with('}') {
                rest = before_it;
                break;
            }
            let behind = read_tree(before_it, before, paths);
            // `as name`, or what is no name.
            let end = behind.find([',', '}']).unwrap_or(behind.len());
            rest = &behind[end..];
        }
        return rest.trim_start().strip_prefix('}').unwrap_or(rest);
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let mut path = before.to_vec();
    path.push(name.to_owned());
    if let Some(rest) = rest.strip_prefix("::") {
        return read_tree(rest, &path, paths);
    }
    paths.push(path);
    rest
}

/// The paths that a file uses, from the root of its crate. `module` is its own.
pub(crate) fn used(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let text = text.split("mod tests {").next().unwrap();
    let code: Vec<_> = text
        .lines()
        .map(|line| line.split("//").next().unwrap())
        .collect();
    let code = code.join("\n");
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        read_tree(&code[at + "crate::".len()..], &[], &mut paths);
    }
    for (at, _) in code.match_indices("super::") {
        let outer = code[..at].len() - code[..at].trim_end_matches("super::").len();
        let up = 1 + outer / "super::".len();
        let parent = &module[..module.len().saturating_sub(up)];
        read_tree(&code[at + "super::".len()..], parent, &mut paths);
    }
    paths
}
