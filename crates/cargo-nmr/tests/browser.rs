//! Pages of `--format html` in a real browser without a window: Chromium. Where there is none, the
//! tests say so and are passed over.

mod lab;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The names of Chromium, the browser of the package `chromium` first.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let folders = env::var_os("PATH")?;
    let files = |name: &&str| {
        let mut files = env::split_paths(&folders).map(|folder| folder.join(name));
        files.find(|file| file.is_file())
    };
    NAMES.iter().find_map(files)
}

/// A page, to be looked at in the browser. Its files have this name.
struct Page {
    name: String,
    file: PathBuf,
    browser: PathBuf,
}

/// Makes a page. `None`, with a word, if there is no browser.
fn page(name: &str, arguments: &[&str]) -> Option<Page> {
    let Some(browser) = browser() else {
        eprintln!("SKIPPED: there is no Chromium to look at the page: install it, or set CHROMIUM");
        return None;
    };
    let file = lab::scratch(&format!("{name}.html"));
    let to = ["--format", "html", "--output", file.to_str().unwrap()];
    let output = lab::run(arguments.iter().chain(&to));
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    Some(Page {
        name: name.to_owned(),
        file,
        browser,
    })
}

impl Page {
    /// What the page consists of after its script has run, at an address with this fragment.
    fn dom(&self, fragment: &str) -> String {
        let profile = self.profile();
        let mut command = Command::new(&self.browser);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1400,900",
        ]);
        command.arg(format!("--user-data-dir={}", profile.display()));
        command.arg("--dump-dom");
        command.arg(address(&self.file, fragment));
        let output = command.stderr(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn profile(&self) -> PathBuf {
        lab::scratch(&format!("{}-profile", self.name))
    }

    /// How many events the page says it shows.
    fn shown(&self, fragment: &str) -> usize {
        let dom = self.dom(fragment);
        attribute(&dom, "data-shown").parse().unwrap()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.profile());
    }
}

fn address(file: &Path, fragment: &str) -> String {
    let path = file.canonicalize().unwrap();
    format!("file://{}{fragment}", path.to_str().unwrap())
}

/// The value of the only attribute of this name.
fn attribute<'a>(dom: &'a str, name: &str) -> &'a str {
    let (_, rest) = dom.split_once(&format!("{name}=\"")).expect("it is there");
    rest.split_once('"').unwrap().0
}

/// What is between the tags of the element with an identifier.
fn content<'a>(dom: &'a str, element: &str, id: &str) -> &'a str {
    let (_, rest) = dom
        .split_once(&format!("<{element} id=\"{id}\""))
        .expect("it is there");
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once(&format!("</{element}>")).unwrap().0
}

/// The rows that are drawn.
fn rows(dom: &str) -> usize {
    dom.matches("class=\"row event").count()
}

fn count(events: &[Value], is_counted: impl Fn(&Value) -> bool) -> usize {
    events.iter().filter(|event| is_counted(event)).count()
}

#[test]
fn the_story_is_shown_and_filtered() {
    let Some(page) = page("story", &["--seed", "3"]) else {
        return;
    };
    let events = lab::events("--seed 3");
    let dom = page.dom("");
    assert_eq!(attribute(&dom, "data-shown"), events.len().to_string());
    assert_eq!(
        content(&dom, "h1", "title"),
        "How Adder and Summer attach, call each other, and detach"
    );
    assert_eq!(
        content(&dom, "p", "verdict"),
        "Everything happened as the contract of the NMR demands."
    );
    assert!((20..=events.len()).contains(&rows(&dom)), "{}", rows(&dom));
    for name in ["Adder", "NMR", "Summer"] {
        assert!(dom.contains(&format!("<bdi>{name}</bdi><small>")), "{name}");
    }
    // What is shown is what the events for programs say, whichever the filter.
    for (fragment, expected) in [
        ("#binding=1", count(&events, |event| event["binding"] == 1)),
        ("#thread=1", count(&events, |event| event["thread"] == 1)),
        (
            "#binding=1&thread=1",
            count(&events, |event| {
                event["binding"] == 1 && event["thread"] == 1
            }),
        ),
        (
            "#find=CLEANUP",
            count(&events, |event| {
                event["function"].as_str().unwrap().contains("Cleanup")
            }),
        ),
        (
            "#module=NMR",
            count(&events, |event| {
                event["caller"] == "nmr" || event["callee"] == "nmr"
            }),
        ),
        ("#module=absent", 0),
    ] {
        assert_eq!(page.shown(fragment), expected, "{fragment}");
    }
}

#[test]
fn a_chosen_event_is_explained() {
    let Some(page) = page("chosen", &[]) else {
        return;
    };
    let events = lab::events("");
    let place = events
        .iter()
        .position(|event| event["function"] == "add")
        .unwrap();
    let dom = page.dom(&format!("#event={place}&lanes=threads"));
    assert_eq!(dom.matches("class=\"row event chosen").count(), 1);
    let details = content(&dom, "aside", "details");
    for part in [
        "<h2>add</h2>",
        "<dt>Arguments</dt><dd><bdi>1</bdi></dd>",
        "Adder client {",
        "go to its return",
    ] {
        assert!(details.contains(part), "{part} is not in {details}");
    }
}

#[test]
fn a_long_run_draws_what_is_in_view() {
    let Some(page) = page("long", &["--threads", "8", "--calls", "1600"]) else {
        return;
    };
    let begun = std::time::Instant::now();
    let dom = page.dom("#event=50000");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let shown: usize = attribute(&dom, "data-shown").parse().unwrap();
    assert!(shown > 51_200, "{shown}");
    assert!((20..100).contains(&rows(&dom)), "{}", rows(&dom));
    assert_eq!(dom.matches("class=\"row event chosen").count(), 1);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_run_of_images_has_its_calls_and_its_pending_detach() {
    let both = lab::driver("both");
    let arguments = [
        "run",
        &both,
        "--call",
        "0x0022a004:10000000010000000300000007000000",
        "--detach",
        "0x0022a008:10000000010000000100000001000000",
    ];
    let Some(page) = page("exercised", &arguments) else {
        return;
    };
    assert!(page.shown("#find=function+0") > 10);
    let dom = page.dom("#find=STATUS_PENDING");
    assert!(dom.contains("label pending"), "{dom}");
    assert!(content(&dom, "dl", "summary").contains("x STATUS_SUCCESS"));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn reports_are_beside_the_event_that_caused_them() {
    let image = lab::fixture("forget");
    let Some(page) = page("reported", &["run", &image]) else {
        return;
    };
    let dom = page.dom("#reported=1");
    let shown: usize = attribute(&dom, "data-shown").parse().unwrap();
    assert!(shown > 0 && rows(&dom) == shown, "{shown}");
    assert_eq!(dom.matches("class=\"mark").count(), shown);
    assert!(content(&dom, "aside", "details").contains("class=\"report "));
}

/// Names of files that would end a script, start one, or turn the text around.
#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn hostile_names_are_only_text() {
    let hostile = "script><img src=x onerror=document.title=1>\"'&amp;\u{202e}.sys";
    let copies = ["1<", "2<"].map(|folder| {
        let folder = lab::scratch("hostile-names").join(folder);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(hostile);
        fs::copy(
            lab::driver(if folder.ends_with("1<") {
                "client"
            } else {
                "provider"
            }),
            &file,
        )
        .unwrap();
        file.to_str().unwrap().to_owned()
    });
    let Some(page) = page("hostile", &["run", &copies[0], &copies[1]]) else {
        return;
    };
    let source = fs::read_to_string(&page.file).unwrap();
    assert!(!source.contains('\u{202e}'));
    let dom = page.dom("");
    let title = content(&dom, "h1", "title");
    let expected = "How 1&lt;/script&gt;&lt;img src=x onerror=document.title=1&gt;\"'&amp;amp;\\u{202e}.sys and 2";
    assert!(title.starts_with(expected), "{title}");
    assert_eq!(
        (dom.matches("<img").count(), dom.matches("<script").count()),
        (0, 2)
    );
    assert!(dom.contains("<title>How 1"), "{dom}");
    assert!(rows(&dom) > 10);
}
