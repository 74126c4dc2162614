//! The site: `docs/SUMMARY.md` lists every page with its title, and the pages that `scripts/site.sh` hands to mdbook
//! link to each other or to an address. mdbook itself is not needed.
#![cfg(all(target_os = "linux", not(miri)))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nmr_guide::{CHAPTERS, Page, project};

/// The pages of a folder and of those in it, as paths below the first.
fn pages(root: &Path, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root.join(folder)).unwrap();
    let mut pages = Vec::new();
    for entry in entries {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        if root.join(&path).is_dir() {
            pages.extend(self::pages(root, &path));
        } else if Path::new(&path).extension() == Some("md".as_ref()) {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

/// The entries of the summary: titles and files.
fn entries() -> Vec<(String, String)> {
    let summary = fs::read_to_string(project().join("docs/SUMMARY.md")).unwrap();
    let lines = summary.lines();
    let lines = lines.filter_map(|line| line.trim_start_matches("- ").strip_prefix('['));
    let entries = lines.map(|line| {
        let (title, file) = line.split_once("](").unwrap();
        (title.to_owned(), file.trim_end_matches(')').to_owned())
    });
    entries.collect()
}

#[test]
fn the_summary_lists_every_page_once() {
    let mut listed: Vec<_> = entries().into_iter().map(|(_, file)| file).collect();
    let chapters: Vec<_> = listed
        .iter()
        .filter_map(|file| file.strip_prefix("guide/"))
        .filter(|file| *file != "README.md")
        .collect();
    assert_eq!(chapters, CHAPTERS, "the chapters in their order");
    listed.sort();
    let mut there = pages(&project().join("docs"), "");
    there.retain(|page| page != "SUMMARY.md");
    assert_eq!(listed, there, "add the page to docs/SUMMARY.md");
}

#[test]
fn the_titles_of_the_summary_are_those_of_the_pages() {
    for (title, file) in entries() {
        if file.ends_with("README.md") {
            continue;
        }
        let page = Page::read(&project().join("docs").join(&file));
        let heading = page.text.lines().next().unwrap();
        assert_eq!(heading, format!("# {title}"), "{file}");
    }
}

#[test]
fn the_configuration_is_what_the_script_expects() {
    let configuration = fs::read_to_string(project().join("book.toml")).unwrap();
    for line in [
        "src = \"docs\"",
        "build-dir = \"target/site/book\"",
        "create-missing = false",
    ] {
        assert!(configuration.lines().any(|other| other == line), "{line}");
    }
}

/// Where a link of a page leads, or why nowhere. mdbook makes `index.md` of a `README.md`.
fn leads_to(root: &Path, page: &Page, target: &str) -> Result<PathBuf, String> {
    let file = target.split('#').next().unwrap();
    let path = page.path.with_file_name("").join(file);
    let path = match path.file_name().and_then(|name| name.to_str()) {
        Some("index.md") => path.with_file_name("README.md"),
        Some("README.md") => return Err(format!("{target}: a site has index.md")),
        _ => path,
    };
    let path = path
        .canonicalize()
        .map_err(|error| format!("{target}: {error}"))?;
    let inside = path.starts_with(root.canonicalize().unwrap());
    inside
        .then_some(path)
        .ok_or_else(|| format!("{target} is no part of the site"))
}

#[test]
fn the_links_of_the_site_stay_inside() {
    let script = project().join("scripts/site.sh");
    let made = Command::new(script).arg("pages").status().unwrap();
    assert!(made.success());
    let root = project().join("target/site/src");
    let mut complaints = Vec::new();
    let mut links = 0;
    for name in pages(&root, "") {
        let page = Page::read(&root.join(&name));
        let outside = |target: &str| target.starts_with("https://") || target.starts_with('#');
        let targets = page.links().into_iter().map(|link| link.target);
        for target in targets.filter(|target| !outside(target) && name != "SUMMARY.md") {
            links += 1;
            complaints.extend(
                leads_to(&root, &page, &target)
                    .err()
                    .map(|text| format!("{name}: {text}")),
            );
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
    assert!(links > 100, "only {links} links were found");
}
