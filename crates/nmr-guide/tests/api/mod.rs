//! The public names of a crate, read from its source. Macros are not expanded: the identifiers that
//! they are given count as names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use nmr_guide::{files_below, project};
use syn::{Field, ImplItem, Item, TraitItem, Type, UseTree, Visibility};

type Names = BTreeSet<String>;

/// The public names of a crate.
#[derive(Default)]
pub(crate) struct Api {
    name: String,
    /// What is at its root.
    exported: Names,
    /// The fields of its structures.
    fields: BTreeMap<String, Names>,
    /// The methods, associated items and variants of its types.
    members: BTreeMap<String, Names>,
    /// The public items of each file, by its name.
    files: BTreeMap<String, Names>,
}

impl Api {
    /// Reads a package.
    pub(crate) fn of(package: &str) -> Self {
        let source = project().join("crates").join(package).join("src");
        let mut api = Self {
            name: package.replace('-', "_"),
            ..Self::default()
        };
        let files = files_below(&source, &["rs"]);
        for file in &files {
            let text = fs::read_to_string(file).unwrap();
            let items = syn::parse_file(&text).expect("it compiles").items;
            let stem = match file.file_stem().and_then(|stem| stem.to_str()).unwrap() {
                "mod" => file
                    .parent()
                    .and_then(Path::file_name)
                    .unwrap()
                    .to_str()
                    .unwrap(),
                stem => stem,
            };
            for item in &items {
                api.read(stem, item);
            }
        }
        let root = fs::read_to_string(source.join("lib.rs")).unwrap();
        for item in syn::parse_file(&root).unwrap().items {
            api.export(&item);
        }
        api
    }

    /// The name of the crate.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What is at the root, and the fields of the structures among it.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.exported.iter().flat_map(|name| {
            let fields = self.fields.get(name).into_iter().flatten();
            let fields = fields.map(move |field| format!("{name}::{field}"));
            fields.chain([name.clone()])
        })
    }

    /// Returns `true` if there is something of this name, without that of the crate.
    pub(crate) fn has(&self, path: &str) -> bool {
        let Some((first, second)) = path.split_once("::") else {
            return self.exported.contains(path);
        };
        let tables = [&self.fields, &self.members, &self.files];
        let inside = |table: &&BTreeMap<String, Names>| {
            table.get(first).is_some_and(|names| names.contains(second))
        };
        self.exported.contains(first) && tables.iter().any(inside)
    }

    /// Reads an item of a file.
    fn read(&mut self, file: &str, item: &Item) {
        let names = public_names(item);
        if let Item::Macro(item) = item
            && item.ident.is_some()
        {
            // A macro that is exported is at the root, wherever it is written.
            self.exported.extend(names.iter().cloned());
        }
        self.files.entry(file.to_owned()).or_default().extend(names);
        let (owner, fields, members) = match item {
            Item::Struct(item) => {
                let fields = public_fields(item.fields.iter());
                (item.ident.to_string(), fields, vec![])
            }
            Item::Union(item) => {
                let fields = public_fields(item.fields.named.iter());
                (item.ident.to_string(), fields, vec![])
            }
            Item::Enum(item) => {
                let variants = item.variants.iter();
                let variants = variants.map(|variant| variant.ident.to_string()).collect();
                (item.ident.to_string(), vec![], variants)
            }
            Item::Trait(item) => {
                let items = item.items.iter().filter_map(of_trait);
                (item.ident.to_string(), vec![], items.collect())
            }
            Item::Impl(item) => {
                let Type::Path(path) = &*item.self_ty else {
                    return;
                };
                let owner = path.path.segments.last().expect("a name").ident.to_string();
                let items = item.items.iter().filter_map(of_impl);
                (owner, vec![], items.collect())
            }
            _ => return,
        };
        let all = self.fields.entry(owner.clone()).or_default();
        all.extend(fields);
        self.members.entry(owner).or_default().extend(members);
    }

    /// Notes what an item of the root exports.
    fn export(&mut self, item: &Item) {
        match item {
            Item::Use(item) if is_public(&item.vis) => self.export_tree(&item.tree, ""),
            _ => self.exported.extend(public_names(item)),
        }
    }

    fn export_tree(&mut self, tree: &UseTree, module: &str) {
        match tree {
            UseTree::Path(path) => self.export_tree(&path.tree, &path.ident.to_string()),
            UseTree::Name(name) => {
                self.exported.insert(name.ident.to_string());
            }
            UseTree::Rename(name) => {
                self.exported.insert(name.rename.to_string());
            }
            UseTree::Glob(_) => {
                let names = self.files.get(module).cloned().unwrap_or_default();
                self.exported.extend(names);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.export_tree(tree, module);
                }
            }
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The public names that an item declares.
fn public_names(item: &Item) -> Vec<String> {
    let (visibility, name) = match item {
        Item::Const(item) => (&item.vis, &item.ident),
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Fn(item) => (&item.vis, &item.sig.ident),
        Item::Mod(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        Item::Type(item) => (&item.vis, &item.ident),
        Item::Union(item) => (&item.vis, &item.ident),
        Item::ForeignMod(item) => {
            let functions = item.items.iter().filter_map(|item| match item {
                syn::ForeignItem::Fn(item) => Some(item.sig.ident.to_string()),
                _ => None,
            });
            return functions.collect();
        }
        Item::Macro(item) => return macro_names(item),
        _ => return Vec::new(),
    };
    let public = is_public(visibility).then(|| name.to_string());
    public.into_iter().collect()
}

/// The name of a macro that is exported, or the identifiers that one is given.
fn macro_names(item: &syn::ItemMacro) -> Vec<String> {
    if let Some(name) = &item.ident {
        let is_export = |attribute: &syn::Attribute| attribute.path().is_ident("macro_export");
        let exported = item.attrs.iter().any(is_export);
        return exported.then(|| name.to_string()).into_iter().collect();
    }
    let tokens = item.mac.tokens.clone().into_iter();
    let words = tokens.map(|token| token.to_string());
    let is_name = |word: &String| word.starts_with(|char: char| char.is_ascii_uppercase());
    words.filter(is_name).collect()
}

fn public_fields<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<String> {
    let public = fields.filter(|field| is_public(&field.vis));
    let names = public.filter_map(|field| field.ident.as_ref());
    names.map(ToString::to_string).collect()
}

fn of_trait(item: &TraitItem) -> Option<String> {
    Some(match item {
        TraitItem::Const(item) => item.ident.to_string(),
        TraitItem::Fn(item) => item.sig.ident.to_string(),
        TraitItem::Type(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn of_impl(item: &ImplItem) -> Option<String> {
    let (visibility, name) = match item {
        ImplItem::Const(item) => (&item.vis, &item.ident),
        ImplItem::Fn(item) => (&item.vis, &item.sig.ident),
        _ => return None,
    };
    is_public(visibility).then(|| name.to_string())
}
