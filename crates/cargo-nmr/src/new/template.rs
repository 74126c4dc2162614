//! The files of a new package, from the templates in `template`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use include_dir::{Dir, File, include_dir};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use uuid::Uuid;

use super::Source;
use super::names::Names;
use super::options::Role;

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/template");
/// The ending of templates: what Cargo and Git would take for a part of this project has another name.
const ENDING: &str = ".jinja";

/// The templates with what differs between packages.
pub(super) struct Template<'a> {
    names: &'a Names,
    role: Role,
    source: &'a Source,
}

impl<'a> Template<'a> {
    pub(super) fn new(names: &'a Names, role: Role, source: &'a Source) -> Self {
        Self {
            names,
            role,
            source,
        }
    }

    /// The names and texts of the files.
    pub(super) fn files(&self) -> Result<Vec<(PathBuf, String)>, String> {
        let environment = environment(self.source);
        let mut files = Vec::new();
        for file in all_files(&TEMPLATE) {
            let name = file.path().to_string_lossy();
            let Some(name) = name.strip_suffix(ENDING) else {
                continue;
            };
            let text = file.contents_utf8().unwrap_or_default();
            let text = self.fill(&environment, text);
            let text = text.map_err(|error| format!("the template {name}: {error:#}"))?;
            files.push((self.place(name), text));
        }
        files.sort();
        Ok(files)
    }

    /// Where a file goes. The module that the driver does not have is the peer of its tests.
    fn place(&self, name: &str) -> PathBuf {
        match name {
            "inx" => format!("{}.inx", self.names.library),
            "src/client.rs" if !self.role.has_client() => "tests/peer/client.rs".to_owned(),
            "src/provider.rs" if !self.role.has_provider() => "tests/peer/provider.rs".to_owned(),
            other => other.to_owned(),
        }
        .into()
    }

    fn fill(&self, environment: &Environment<'_>, text: &str) -> Result<String, minijinja::Error> {
        let install = match self.source {
            Source::Path(crates) => format!("--path {}", crates.join("cargo-nmr").display()),
            Source::Git(url) => format!("--git {url} cargo-nmr"),
        };
        environment.render_str(
            text,
            context! {
                name => self.names.package,
                lib => self.names.library,
                type => self.names.camel,
                npi => self.names.npi,
                client => self.role.has_client(),
                provider => self.role.has_provider(),
                install,
            },
        )
    }
}

/// How templates are read, and the functions that they call.
fn environment(source: &Source) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A file is no page of the Web.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let made = Arc::new(Mutex::new(HashMap::<String, Uuid>::new()));
    // One for each name, wherever that stands.
    let guid = move |name: String| {
        let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
        *made.entry(name).or_insert_with(Uuid::new_v4)
    };
    let number = guid.clone();
    environment.add_function("guid", move |name: String| literal(number(name)));
    environment.add_function("guid_text", move |name: String| {
        guid(name).braced().to_string().to_uppercase()
    });
    let source = source.clone();
    environment.add_function("source", move |name: &str| dependency(&source, name));
    environment
}

/// Where a dependency comes from, as it stands in a manifest.
fn dependency(source: &Source, name: &str) -> String {
    match source {
        Source::Path(crates) => format!("path = \"{}\"", crates.join(name).display()),
        Source::Git(url) => format!("git = \"{url}\""),
    }
}

/// A number for `Guid::from_u128`, in the groups of a GUID.
fn literal(guid: Uuid) -> String {
    format!("0x{}", guid.hyphenated().to_string().replace('-', "_"))
}

fn all_files<'a>(directory: &'a Dir<'a>) -> Vec<&'a File<'a>> {
    let mut files: Vec<_> = directory.files().collect();
    files.extend(directory.dirs().flat_map(all_files));
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(role: Role) -> Vec<(PathBuf, String)> {
        let names = Names {
            package: "my-drv".to_owned(),
            library: "my_drv".to_owned(),
            camel: "MyDrv".to_owned(),
            npi: "Flow".to_owned(),
        };
        let source = Source::Git("https://example.org/nmr".to_owned());
        Template::new(&names, role, &source).files().unwrap()
    }

    fn text(files: &[(PathBuf, String)], name: &str) -> String {
        let found = files.iter().find(|(path, _)| path.as_os_str() == name);
        found.unwrap_or_else(|| panic!("no {name}")).1.clone()
    }

    #[test]
    fn every_identifier_is_new_and_one_name_is_one_identifier() {
        let (first, second) = (made(Role::Both), made(Role::Both));
        let guid = |files: &[_], name: &str| {
            let text = text(files, name);
            let at = text.find("from_u128(").unwrap();
            text[at..at + 48].to_owned()
        };
        for name in ["src/interface.rs", "src/client.rs", "src/provider.rs"] {
            assert_ne!(guid(&first, name), guid(&second, name), "{name}");
        }
        let device = guid(&first, "src/driver.rs");
        assert!(text(&first, "tests/image.rs").contains(&device));
    }

    #[test]
    fn the_peer_of_a_driver_with_one_module_is_in_its_tests() {
        let files = made(Role::Provider);
        text(&files, "src/provider.rs");
        text(&files, "tests/peer/client.rs");
        assert!(!text(&files, "src/lib.rs").contains("mod client"));
        let files = made(Role::Client);
        text(&files, "src/client.rs");
        text(&files, "tests/peer/provider.rs");
    }

    #[test]
    fn nothing_of_the_template_is_left() {
        for role in [Role::Both, Role::Client, Role::Provider] {
            for (name, text) in made(role) {
                let left = text.contains("{%") || text.contains("{{ ") || text.contains("\n\n\n");
                assert!(!left, "{}\n{text}", name.display());
            }
        }
    }
}
