//! The workflows of GitHub call what is there, and the groups of `.ci/run`, each once. `.ci/run lint` checks their syntax.
#![cfg(not(miri))]

use std::fs;

use nmr_guide::project;

fn read(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap()
}

#[test]
fn the_linux_workflow_runs_every_group() {
    let run = read(".ci/run");
    let groups: Vec<_> = run
        .lines()
        .filter_map(|line| line.strip_prefix("group ")?.split(' ').next())
        .collect();
    assert!(groups.len() > 3, "{groups:?}");
    let line = format!("        group: [{}]", groups.join(", "));
    let workflow = read(".github/workflows/linux.yml");
    assert!(workflow.lines().any(|other| other == line), "{line}");
}

#[test]
fn the_files_that_the_workflows_name_are_there() {
    let starts = [".ci/", "scripts/", "scripts\\", "inf/"];
    let mut found = 0;
    for name in ["linux", "windows"] {
        let workflow = read(&format!(".github/workflows/{name}.yml"));
        let words = workflow.split(|char: char| char.is_whitespace() || "'\"`,;".contains(char));
        for word in words.filter(|word| starts.iter().any(|start| word.starts_with(start))) {
            let path = word.replace('\\', "/");
            let path = path.trim_end_matches(['*', '/', '.']);
            assert!(project().join(path).exists(), "{name}: {word}");
            found += 1;
        }
    }
    assert!(found > 3, "{found}");
}

/// The first run on Windows changes this test, the page and the workflow.
#[test]
fn the_windows_workflow_says_that_it_has_never_run() {
    assert!(read(".github/workflows/windows.yml").contains("THIS WORKFLOW HAS NEVER RUN"));
    assert!(read("docs/windows.md").contains("**That workflow has never run**"));
}
