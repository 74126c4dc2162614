//! A PowerShell script, as text and as a syntax tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tree_sitter::{Node, Parser, Tree};

pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) text: String,
    tree: Tree,
}

/// A call of a cmdlet or of a function.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: String,
    /// The names of those that are given by name.
    pub(crate) parameters: BTreeSet<String>,
}

impl Script {
    pub(crate) fn new(name: &str, text: String) -> Self {
        let mut parser = Parser::new();
        let language = tree_sitter_powershell::LANGUAGE.into();
        parser.set_language(&language).unwrap();
        Self {
            name: name.to_owned(),
            tree: parser.parse(&text, None).unwrap(),
            text,
        }
    }

    /// Returns `true` if it is a module, which other scripts use.
    pub(crate) fn is_module(&self) -> bool {
        Path::new(&self.name).extension() == Some("psm1".as_ref())
    }

    /// All nodes of the tree, in the order of the text.
    pub(crate) fn nodes(&self) -> Vec<Node<'_>> {
        let mut nodes = vec![self.tree.root_node()];
        let mut next = 0;
        while next < nodes.len() {
            let node = nodes[next];
            nodes.extend(node.children(&mut node.walk()));
            next += 1;
        }
        nodes.sort_by_key(|node| (node.start_byte(), node.end_byte()));
        nodes
    }

    /// The texts of the nodes of a kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&str> {
        let nodes = self.nodes().into_iter();
        let nodes = nodes.filter(|node| node.kind() == kind);
        nodes.map(|node| &self.text[node.byte_range()]).collect()
    }

    /// The statements outside of functions.
    pub(crate) fn statements(&self) -> Vec<&str> {
        let mut lists = self.nodes().into_iter();
        let list = lists.find(|node| node.kind() == "statement_list");
        let Some(list) = list else {
            return Vec::new();
        };
        let statements: Vec<_> = list.named_children(&mut list.walk()).collect();
        let statements = statements.into_iter();
        let statements = statements.filter(|node| node.kind() != "comment");
        statements.map(|node| self.at(node)).collect()
    }

    fn at(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// The names of the parameters that a function or the script declares.
    fn declared(&self, node: Node<'_>) -> BTreeSet<String> {
        let parameters = inside(node, "script_parameter").into_iter();
        let names = parameters.map(|parameter| {
            let names = inside(parameter, "variable");
            let first = names.into_iter().min_by_key(Node::start_byte).unwrap();
            self.at(first).trim_start_matches('$').to_owned()
        });
        names.collect()
    }

    /// The functions that it defines, with their parameters.
    pub(crate) fn functions(&self) -> BTreeMap<String, BTreeSet<String>> {
        let nodes = self.nodes().into_iter();
        let functions = nodes.filter(|node| node.kind() == "function_statement");
        let entry = |node: Node<'_>| {
            let name = inside(node, "function_name")[0];
            (self.at(name).to_owned(), self.declared(node))
        };
        functions.map(entry).collect()
    }

    /// The parameters of the script itself.
    pub(crate) fn parameters(&self) -> BTreeSet<String> {
        let mut root = self.tree.root_node().walk();
        let children = self
            .tree
            .root_node()
            .children(&mut root)
            .collect::<Vec<_>>();
        let block = children
            .into_iter()
            .find(|node| node.kind() == "param_block");
        block.map_or_else(BTreeSet::new, |block| self.declared(block))
    }

    /// The calls by name.
    pub(crate) fn commands(&self) -> Vec<Command> {
        let nodes = self.nodes().into_iter();
        let commands = nodes.filter(|node| node.kind() == "command");
        let command = |node: Node<'_>| {
            let name = *inside(node, "command_name").first()?;
            let given = inside(node, "command_parameter").into_iter();
            let given = given.filter_map(|parameter| {
                let text = self.at(parameter).trim_start_matches('-');
                text.split(':').next().map(str::to_owned)
            });
            Some(Command {
                name: self.at(name).to_owned(),
                parameters: given.collect(),
            })
        };
        commands.filter_map(command).collect()
    }

    /// The texts of its steps, with the names of variables in them.
    pub(crate) fn steps(&self) -> Vec<String> {
        let lines = self.text.lines().map(str::trim);
        let steps = lines.filter_map(|line| line.strip_prefix("Write-Step "));
        steps
            .map(|text| text.trim_matches(['\'', '"']).to_owned())
            .collect()
    }

    /// The text without its comments.
    pub(crate) fn code(&self) -> String {
        let nodes = self.nodes().into_iter();
        let comments = nodes.filter(|node| node.kind() == "comment");
        let mut code = self.text.clone();
        for comment in comments {
            code = code.replace(self.at(comment), "");
        }
        code
    }

    /// The text in front of everything else: `<# … #>`.
    pub(crate) fn help(&self) -> &str {
        let help = self
            .text
            .strip_prefix("<#")
            .and_then(|rest| rest.split_once("#>"));
        help.map_or("", |(help, _)| help)
    }
}

/// The nodes of a kind inside of a node, without those inside of another of its own kind.
fn inside<'a>(node: Node<'a>, kind: &str) -> Vec<Node<'a>> {
    let mut found = Vec::new();
    let mut left = vec![node];
    while let Some(next) = left.pop() {
        if next.kind() == kind {
            found.push(next);
        }
        let children: Vec<_> = next.children(&mut next.walk()).collect();
        let others = children
            .into_iter()
            .filter(|child| child.kind() != node.kind());
        left.extend(others);
    }
    found
}
