//! A WDK of Microsoft's that the user has, in the place of the one that is made: an installed kit, or the
//! packages of one. It is laid out again with links, because names are case-sensitive on Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::Cross;
use crate::files;
use crate::setup::Log;
use crate::target::Arch;
use crate::tools::Tools;
use crate::tree::Tree;
use crate::wdk::{KMDF, VERSION, exports, libraries, root};

/// Where the parts of a kit are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kit {
    /// The directory with `Include` and `Lib`.
    kernel: PathBuf,
    /// The same of the SDK, which is another package.
    sdk: PathBuf,
    version: String,
}

impl Kit {
    /// The kit that the user wishes for, by the option or by `WDKContentRoot`. The directory that the set-up
    /// itself makes is none.
    pub(crate) fn wished(cross: &Cross) -> Result<Option<Self>> {
        let variable = || std::env::var_os("WDKContentRoot").map(PathBuf::from);
        let Some(directory) = cross.wishes.wdk.clone().or_else(variable) else {
            return Ok(None);
        };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if real(&directory) == real(&root(cross)) {
            return Ok(None);
        }
        Self::at(&directory).map(Some)
    }

    /// The newest version in an installed kit, in a package, or in a directory of packages.
    fn at(directory: &Path) -> Result<Self> {
        let packages = || files::list(directory).unwrap_or_default();
        let mut kernels = vec![directory.to_owned(), directory.join("c")];
        let named =
            |path: &PathBuf, part: &str| path.to_string_lossy().to_lowercase().contains(part);
        kernels.extend(
            packages()
                .iter()
                .filter(|path| named(path, "windows.wdk"))
                .map(|path| path.join("c")),
        );
        let found = kernels.into_iter().find_map(|kernel| {
            let version = newest(&kernel, "km/ntddk.h")?;
            Some((kernel, version))
        });
        let (kernel, version) = found.with_context(|| {
            format!(
                "no Include/<version>/km/ntddk.h in {} or in c/ of its packages",
                directory.display()
            )
        })?;
        let mut sdks = vec![kernel.clone()];
        let beside = directory
            .parent()
            .map(files::list)
            .and_then(Result::ok)
            .unwrap_or_default();
        let candidates = packages().into_iter().chain(beside);
        sdks.extend(
            candidates
                .filter(|path| named(path, "windows.sdk.cpp"))
                .map(|path| path.join("c")),
        );
        let has_types =
            |sdk: &PathBuf| entry(sdk, &format!("Include/{version}/shared/ntdef.h")).is_some();
        let sdk = sdks.into_iter().find(has_types).with_context(|| {
            format!(
                "no Include/{version}/shared/ntdef.h in {}: the SDK is missing",
                kernel.display()
            )
        })?;
        Ok(Self {
            kernel,
            sdk,
            version,
        })
    }
}

/// The newest version in `Include` that has a header.
fn newest(kit: &Path, header: &str) -> Option<String> {
    let versions = files::list(&entry(kit, "Include")?).ok()?;
    let mut versions: Vec<_> = versions
        .into_iter()
        .filter(|path| entry(path, header).is_some())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let parts: Option<Vec<u32>> = name.split('.').map(|part| part.parse().ok()).collect();
            Some((parts?, name))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, name)| name)
}

/// A path below a directory, whatever the case of its names.
fn entry(directory: &Path, path: &str) -> Option<PathBuf> {
    path.split('/')
        .try_fold(directory.to_owned(), |above, name| {
            let exact = above.join(name);
            if exact.exists() {
                return Some(exact);
            }
            let same = |path: &PathBuf| {
                path.file_name()
                    .is_some_and(|other| other.eq_ignore_ascii_case(name))
            };
            files::list(&above).ok()?.into_iter().find(same)
        })
}

/// Lays the kit out where the one that is made would be, under the same version.
pub(crate) fn link(cross: &Cross, tools: &Tools, kit: &Kit, log: Log) -> Result<()> {
    let (major, minor) = KMDF;
    let mut made = Tree::new(root(cross));
    let include = root(cross).join("Include");
    let part = |place: &Path, path: &str| {
        entry(place, path).with_context(|| format!("no {path} in {}", place.display()))
    };
    let headers = [
        (
            part(&kit.kernel, &format!("Include/{}/km", kit.version))?,
            include.join(VERSION).join("km"),
        ),
        (
            part(&kit.sdk, &format!("Include/{}/shared", kit.version))?,
            include.join(VERSION).join("shared"),
        ),
        (
            part(&kit.kernel, &format!("Include/wdf/kmdf/{major}.{minor}"))?,
            include.join(format!("wdf/kmdf/{major}.{minor}")),
        ),
    ];
    link_headers(&headers, &mut made)?;
    for empty in ["km/crt", "km/ufx/1.1"] {
        made.directory(include.join(VERSION).join(empty))?;
    }
    for arch in Arch::ALL {
        let kernel = entry(
            &kit.kernel,
            &format!("Lib/{}/km/{}", kit.version, arch.wdk()),
        );
        let framework = entry(
            &kit.kernel,
            &format!("Lib/wdf/kmdf/{}/{major}.{minor}", arch.wdk()),
        );
        // A package is for one processor.
        let (Some(kernel), Some(framework)) = (kernel, framework) else {
            continue;
        };
        let to = libraries::directory(cross, arch);
        link_libraries(&kernel, &to, &mut made)?;
        let to = root(cross).join(format!("Lib/wdf/kmdf/{}/{major}.{minor}", arch.wdk()));
        link_libraries(&framework, &to, &mut made)?;
        // A crate names this library of the SDK; nothing of it is used.
        let list = exports::of_programs(cross, &mut made)?;
        libraries::of_exports(cross, tools, arch, &[list], &mut made)?;
    }
    if made.finish()? {
        log.did(
            "wdk",
            &format!("linked {} {}", kit.kernel.display(), kit.version),
        );
    } else {
        log.found("wdk", &format!("{} {}", kit.kernel.display(), kit.version));
    }
    Ok(())
}

/// Links trees of headers: each under its name, under that in small letters, and under those by which
/// other headers include it.
fn link_headers(trees: &[(PathBuf, PathBuf); 3], made: &mut Tree) -> Result<()> {
    let mut wanted = BTreeSet::new();
    let mut places = BTreeMap::<String, Vec<(&Path, PathBuf)>>::new();
    for (from, to) in trees {
        for header in all_files(from)? {
            let below = header.strip_prefix(from)?.to_owned();
            let small = below.to_string_lossy().to_lowercase();
            made.link(to.join(&below), &header)?;
            made.link(to.join(&small), &header)?;
            wanted.extend(includes(&String::from_utf8_lossy(&fs::read(&header)?)));
            places.entry(small).or_default().push((to, header));
        }
    }
    for name in wanted {
        for (to, header) in places.get(&name.to_lowercase()).into_iter().flatten() {
            made.link(to.join(&name), header)?;
        }
    }
    Ok(())
}

/// The names that a header includes, with slashes.
fn includes(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix('#')?.trim_start();
        let name = line.strip_prefix("include")?.trim_start();
        let end = match name.chars().next()? {
            '<' => '>',
            '"' => '"',
            _ => return None,
        };
        let (name, _) = name[1..].split_once(end)?;
        Some(name.replace('\\', "/"))
    })
}

/// Links libraries, each under its name and under that in small letters.
fn link_libraries(from: &Path, to: &Path, made: &mut Tree) -> Result<()> {
    for library in files::list(from)? {
        let name = library.file_name().and_then(OsStr::to_str);
        let name = name.context("a library without a name")?;
        made.link(to.join(name), &library)?;
        made.link(to.join(name.to_lowercase()), &library)?;
    }
    Ok(())
}

fn all_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in files::list(directory)? {
        if path.is_dir() {
            found.extend(all_files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root_of(name: &str, paths: &[&str]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for path in paths {
            files::write(&root.join(path), b"#include <DriverSpecs.h>\n").unwrap();
        }
        root
    }

    #[test]
    fn an_installed_kit_is_found_with_its_newest_version() {
        let root = root_of(
            "installed",
            &[
                "Include/10.0.9600.0/km/ntddk.h",
                "Include/10.0.26100.0/km/ntddk.h",
                "Include/10.0.26100.0/Shared/NTDEF.H",
                "Include/wdf/kmdf/1.31/wdf.h",
            ],
        );
        let kit = Kit::at(&root).unwrap();
        assert_eq!((kit.kernel, kit.sdk), (root.clone(), root.clone()));
        assert_eq!(kit.version, "10.0.26100.0");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn packages_are_found_from_their_directory_and_from_one_of_them() {
        let kernel = "Microsoft.Windows.WDK.x64.10.0.26100.1/c";
        let sdk = "Microsoft.Windows.SDK.CPP.10.0.26100.1/c";
        let root = root_of(
            "packages",
            &[
                &format!("{kernel}/Include/10.0.26100.0/km/ntddk.h"),
                &format!("{sdk}/Include/10.0.26100.0/shared/ntdef.h"),
            ],
        );
        let package = root.join(kernel).parent().unwrap().to_owned();
        for directory in [&root, &package] {
            let kit = Kit::at(directory).unwrap();
            assert_eq!((kit.kernel, kit.sdk), (root.join(kernel), root.join(sdk)));
        }
        fs::remove_dir_all(root.join("Microsoft.Windows.SDK.CPP.10.0.26100.1")).unwrap();
        let error = Kit::at(&root).unwrap_err().to_string();
        assert!(error.ends_with("the SDK is missing"), "{error}");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_header_has_every_name_by_which_it_is_included() {
        let root = root_of(
            "names",
            &["km/Ntddk.h", "shared/driverspecs.h", "wdf/wdf.h"],
        );
        let made = root.join("made");
        let trees = ["km", "shared", "wdf"].map(|name| (root.join(name), made.join(name)));
        let mut tree = Tree::new(made.clone());
        link_headers(&trees, &mut tree).unwrap();
        tree.finish().unwrap();
        for name in [
            "km/Ntddk.h",
            "km/ntddk.h",
            "shared/driverspecs.h",
            "shared/DriverSpecs.h",
        ] {
            assert!(made.join(name).is_file(), "{name}");
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn both_kinds_of_includes_are_read() {
        let text =
            "#include <a.h>\n # include \"B\\C.h\" // why\n#define include\n#include MACRO\n";
        assert_eq!(includes(text).collect::<Vec<_>>(), ["a.h", "B/C.h"]);
    }
}
