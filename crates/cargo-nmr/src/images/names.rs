//! Names of images and their modules.

use std::path::{Path, PathBuf};

use driver_host::printable;
use nmr_host::{ModuleId, ModuleLabel};

/// The names of images: as few of the last parts of their paths as make them distinct.
pub(super) fn of_images(paths: &[PathBuf]) -> Vec<String> {
    let name = |(place, path): (usize, &PathBuf)| {
        let name = short(path, paths);
        match paths[..place].iter().filter(|other| *other == path).count() {
            0 => name,
            before => numbered(&name, before + 1),
        }
    };
    paths.iter().enumerate().map(name).collect()
}

fn short(path: &Path, paths: &[PathBuf]) -> String {
    let most = path.components().count();
    let unique = |count: &usize| {
        let mut others = paths.iter().filter(|other| *other != path);
        !others.any(|other| last(other, *count) == last(path, *count))
    };
    last(path, (1..most).find(unique).unwrap_or(most))
}

/// The last parts of a path.
fn last(path: &Path, count: usize) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    printable(&parts[parts.len().saturating_sub(count)..].join("/"))
}

fn numbered(name: &str, number: usize) -> String {
    match name.strip_suffix(".sys") {
        Some(stem) => format!("{stem}-{number}.sys"),
        None => format!("{name}-{number}"),
    }
}

/// Names for the modules of an image: the image's, with their role if it has several.
pub(super) fn of_modules(image: &str, modules: &[ModuleLabel]) -> Vec<(ModuleId, String)> {
    let stem = image.strip_suffix(".sys").unwrap_or(image);
    let mut names: Vec<(ModuleId, String)> = Vec::new();
    let ids = || modules.iter().filter_map(|module| module.id);
    let alone = ids().all(|id| Some(id) == ids().next());
    for module in modules {
        let Some(id) = module.id else { continue };
        if names.iter().any(|(named, _)| *named == id) {
            continue;
        }
        let own = if alone {
            stem.to_owned()
        } else {
            format!("{stem} {}", module.role)
        };
        let name = distinct(own, &names);
        names.push((id, name));
    }
    names
}

/// The name that no other module has, by a number.
fn distinct(name: String, names: &[(ModuleId, String)]) -> String {
    let taken = |name: &str| names.iter().any(|(_, other)| other == name);
    if !taken(&name) {
        return name;
    }
    let numbered = |number: &usize| !taken(&format!("{name} {number}"));
    let number = (2..=names.len() + 2).find(numbered).unwrap_or_default();
    format!("{name} {number}")
}

#[cfg(test)]
mod tests {
    use nmr_host::Role;

    use super::*;

    fn images(paths: &[&str]) -> Vec<String> {
        of_images(&paths.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn images_are_called_by_what_tells_them_apart() {
        assert_eq!(images(&["/x/a.sys", "y/b.sys"]), ["a.sys", "b.sys"]);
        assert_eq!(images(&["x/a.sys", "y/a.sys"]), ["x/a.sys", "y/a.sys"]);
        assert_eq!(images(&["x/a.sys", "x/a.sys"]), ["a.sys", "a-2.sys"]);
        assert_eq!(images(&["a.sys", "x/a.sys"]), ["a.sys", "x/a.sys"]);
    }

    #[test]
    fn modules_are_called_like_their_image() {
        let module = |role, luid| ModuleLabel {
            role,
            id: Some(ModuleId::IfLuid(luid)),
            number: 0,
        };
        let (first, second) = (module(Role::Client, 1), module(Role::Client, 2));
        let names = |modules: &[_]| {
            let names = of_modules("dir/a.sys", modules).into_iter();
            names.map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[first]), ["dir/a"]);
        assert_eq!(names(&[first, module(Role::Provider, 1)]), ["dir/a"]);
        assert_eq!(names(&[first, second]), ["dir/a client", "dir/a client 2"]);
    }
}
