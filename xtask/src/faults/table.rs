//! A table of faults, as `xtask/faults/NAME.toml` has it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use driver_build::files;
use serde::Deserialize;

/// What a line begins with, above which faults are planted: the tests of a file are no place for them.
const TESTS: [&str; 2] = ["\nmod tests", "\nmod models"];

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    build: String,
    check: String,
    tests: Vec<String>,
    unchanged: Option<String>,
    seconds: u32,
    evidence: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    file: Vec<Section>,
}

/// The faults of a source file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    path: String,
    likely: Option<String>,
    #[serde(default)]
    fault: Vec<Row>,
    #[serde(default)]
    empty: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    find: String,
    plant: String,
    #[serde(default)]
    also: Vec<Edit>,
}

/// A text that stands in a file once, and what is planted there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    find: String,
    plant: String,
}

/// A group of faults, and the tests that must notice them.
pub(super) struct Table {
    pub(super) group: String,
    /// The command that compiles the tests.
    pub(super) build: String,
    /// The command that runs tests; their names follow.
    pub(super) check: String,
    /// What is run for each fault, in order, until it is noticed.
    pub(super) tests: Vec<String>,
    /// What must pass without a fault.
    pub(super) unchanged: String,
    /// How long one run of the tests may take: a fault may make it run in circles.
    pub(super) seconds: u32,
    /// What a line of the output contains that shows that a test noticed a fault.
    pub(super) evidence: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) faults: Vec<Fault>,
}

/// Something wrong to plant.
pub(super) struct Fault {
    pub(super) name: String,
    /// The source file, from the root of the repository.
    pub(super) file: String,
    /// The tests that are likely to notice it, which are run first.
    pub(super) likely: Option<String>,
    /// What is replaced. A function that does nothing has none: see `empty`.
    pub(super) edits: Vec<Edit>,
    /// The function that does nothing.
    pub(super) empty: Option<String>,
}

impl Table {
    pub(super) fn read(root: &Path, group: &str) -> Result<Self> {
        let path = root.join("xtask/faults").join(format!("{group}.toml"));
        Self::parse(group, &files::read(&path)?)
            .with_context(|| format!("in {}", files::shown(&path)))
    }

    pub(super) fn parse(group: &str, text: &str) -> Result<Self> {
        let written: Written = toml::from_str(text)?;
        let last = written.tests.last().context("it names no tests")?;
        Ok(Self {
            group: group.to_owned(),
            unchanged: written.unchanged.unwrap_or_else(|| last.clone()),
            build: written.build,
            check: written.check,
            tests: written.tests,
            seconds: written.seconds,
            evidence: written.evidence,
            environment: written.environment,
            faults: written.file.into_iter().flat_map(Section::faults).collect(),
        })
    }

    /// Leaves the faults whose file and name contain a text.
    pub(super) fn keep(&mut self, text: &str) {
        self.faults
            .retain(|fault| format!("{}: {}", fault.file, fault.name).contains(text));
    }

    /// The length of the longest name.
    pub(super) fn width(&self) -> usize {
        let lengths = self.faults.iter().map(|fault| fault.name.chars().count());
        lengths.max().unwrap_or_default()
    }

    /// Checks that each fault can be planted in the sources below a directory.
    pub(super) fn check(&self, root: &Path) -> Result<()> {
        let mut wrong = Vec::new();
        for fault in &self.faults {
            let planted = files::read(&root.join(&fault.file)).and_then(|text| fault.plant(&text));
            wrong.extend(planted.err().map(|error| format!("{error:#}")));
        }
        ensure!(wrong.is_empty(), "{}: {}", self.group, wrong.join("; "));
        Ok(())
    }
}

impl Section {
    fn faults(self) -> Vec<Fault> {
        let stem = Path::new(&self.path).file_stem().unwrap_or_default();
        let module = stem.to_string_lossy().into_owned();
        let rows = self.fault.into_iter().map(|row| {
            let first = Edit {
                find: row.find,
                plant: row.plant,
            };
            (
                row.name,
                [first].into_iter().chain(row.also).collect(),
                None,
            )
        });
        let empty = self.empty.into_iter();
        let empty = empty.map(|name| (format!("{module}::{name}"), Vec::new(), Some(name)));
        rows.chain(empty)
            .map(|(name, edits, empty)| Fault {
                name,
                file: self.path.clone(),
                likely: self.likely.clone(),
                edits,
                empty,
            })
            .collect()
    }
}

impl Fault {
    /// A text with the fault in it.
    pub(super) fn plant(&self, text: &str) -> Result<String> {
        let mut planted = text.to_owned();
        for Edit { find, plant } in &self.edits {
            let at = once(&planted, find).with_context(|| self.place())?;
            planted.replace_range(at..at + find.len(), plant);
        }
        if let Some(function) = &self.empty {
            planted = super::empty::switched(&planted, function, &self.name)
                .with_context(|| self.place())?;
        }
        if planted == text {
            bail!("{}: it changes nothing", self.place());
        }
        Ok(planted)
    }

    fn place(&self) -> String {
        format!(
            "the fault '{}' cannot be planted in {}",
            self.name, self.file
        )
    }
}

/// Where a text stands that is once in the code of a file, above its tests.
pub(super) fn once(text: &str, find: &str) -> Result<usize> {
    let ends = TESTS.iter().filter_map(|start| text.find(start));
    let code = &text[..ends.min().unwrap_or(text.len())];
    let mut places = code.match_indices(find);
    let first = places.next();
    match (first, places.count()) {
        (Some((at, _)), 0) => Ok(at),
        (None, _) => bail!("this text is not there: {find}"),
        (Some(_), more) => bail!("this text is there {} times: {find}", more + 1),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::Table;
    use crate::options::Group;

    const TABLE: &str = r#"
        build = "true"
        check = "true"
        tests = ["small", "all"]
        seconds = 1
        evidence = ["wrong"]

        [[file]]
        path = "a.rs"
        likely = "a"

        [[file.fault]]
        name = "first"
        find = "one"
        plant = "two"

        [[file.fault.also]]
        find = "three"
        plant = "four"
    "#;

    fn plant(text: &str) -> Result<String, String> {
        let table = Table::parse("group", TABLE).unwrap();
        table.faults[0]
            .plant(text)
            .map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_fault_replaces_every_text_that_it_names() {
        assert_eq!(plant("one three").unwrap(), "two four");
    }

    #[test]
    fn a_fault_is_not_planted_in_tests() {
        let text = "one three\nmod tests {\n one three }";
        assert_eq!(
            plant(text).unwrap(),
            text.replacen("one three", "two four", 1)
        );
    }

    #[test]
    fn a_text_that_is_not_there_once_is_an_error_that_names_the_fault() {
        let place = "the fault 'first' cannot be planted in a.rs";
        assert_eq!(
            plant("one").unwrap_err(),
            format!("{place}: this text is not there: three")
        );
        assert_eq!(
            plant("one one three").unwrap_err(),
            format!("{place}: this text is there 2 times: one")
        );
    }

    #[test]
    fn the_last_tests_are_those_that_pass_without_a_fault() {
        assert_eq!(Table::parse("group", TABLE).unwrap().unchanged, "all");
        let text = TABLE.replace("seconds", "unchanged = \"small\"\nseconds");
        assert_eq!(Table::parse("group", &text).unwrap().unchanged, "small");
    }

    #[test]
    fn every_fault_of_the_tables_can_be_planted_and_has_a_name_of_its_own() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for group in Group::ALL {
            let table = Table::read(&root, group.name()).unwrap();
            table.check(&root).unwrap();
            let names: BTreeSet<_> = table.faults.iter().map(|fault| &fault.name).collect();
            assert_eq!(names.len(), table.faults.len(), "{}", table.group);
        }
    }
}
