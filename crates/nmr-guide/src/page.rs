//! [`Page`]: a page of Markdown, as far as tests look at it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page of Markdown.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// A block of code between fences.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The language: the first word after the fence.
    pub language: String,
    /// The rest of that line.
    pub note: String,
    /// The line of the page on which the code begins.
    pub line: usize,
    /// The code.
    pub code: String,
}

/// A command of a block in the language `console`, and what it writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The command, without the prompt.
    pub command: String,
    /// The lines below it.
    pub output: String,
}

/// A link, or the file of a picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Where it leads.
    pub target: String,
    /// The line of the page.
    pub line: usize,
}

/// A picture, and the comment in front of it, which is the command that makes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// Its file, as a link.
    pub file: Link,
    /// The comment, if there is one.
    pub command: Option<String>,
}

impl Page {
    /// Reads a page.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .replace("\r\n", "\n");
        let path = path.to_owned();
        Self { path, text }
    }

    /// The place of a line, for a message.
    #[must_use]
    pub fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// The blocks of code.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (event, line) in self.events() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let info = match &kind {
                        CodeBlockKind::Fenced(info) => info.trim(),
                        CodeBlockKind::Indented => "",
                    };
                    let (language, note) = info.split_once(' ').unwrap_or((info, ""));
                    open = Some(Block {
                        language: language.to_owned(),
                        note: note.to_owned(),
                        line: line + 1,
                        code: String::new(),
                    });
                }
                Event::Text(text) => {
                    if let Some(block) = &mut open {
                        block.code.push_str(&text);
                    }
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
                _ => {}
            }
        }
        blocks
    }

    /// The blocks of code in a language.
    #[must_use]
    pub fn blocks_of(&self, language: &str) -> Vec<Block> {
        let mut blocks = self.blocks();
        blocks.retain(|block| block.language == language);
        blocks
    }

    /// The links, and the files of the pictures.
    #[must_use]
    pub fn links(&self) -> Vec<Link> {
        let mut links = Vec::new();
        for (event, line) in self.events() {
            if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event {
                let target = dest_url.into_string();
                links.push(Link { target, line });
            }
        }
        links
    }

    /// The pictures.
    #[must_use]
    pub fn pictures(&self) -> Vec<Picture> {
        let mut pictures = Vec::new();
        let mut comment = None;
        for (event, line) in self.events() {
            match event {
                Event::Html(html) => comment = comment_in(&html),
                Event::Start(Tag::Image { dest_url, .. }) => pictures.push(Picture {
                    file: Link {
                        target: dest_url.into_string(),
                        line,
                    },
                    command: comment.take(),
                }),
                _ => {}
            }
        }
        pictures
    }

    /// What a link can name after `#`, as GitHub does it: headings in small letters, without
    /// punctuation and with hyphens for spaces, numbered if there are several.
    #[must_use]
    pub fn anchors(&self) -> Vec<String> {
        let mut seen = HashMap::new();
        let mut anchors = Vec::new();
        let mut heading: Option<String> = None;
        for (event, _) in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let anchor = slug(&heading.take().unwrap_or_default());
                    let before = seen.entry(anchor.clone()).or_insert(0);
                    anchors.push(match *before {
                        0 => anchor,
                        number => format!("{anchor}-{number}"),
                    });
                    *before += 1;
                }
                _ => {}
            }
        }
        anchors
    }

    /// What the page is made of, each with its line.
    fn events(&self) -> impl Iterator<Item = (Event<'_>, usize)> {
        let ends: Vec<usize> = self.text.match_indices('\n').map(|(at, _)| at).collect();
        let parser = Parser::new_ext(&self.text, Options::ENABLE_TABLES);
        parser.into_offset_iter().map(move |(event, range)| {
            let line = ends.partition_point(|&end| end < range.start) + 1;
            (event, line)
        })
    }
}

impl Block {
    /// The commands of a block in the language `console`, and what they write.
    ///
    /// # Panics
    ///
    /// If it does not begin with a command.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        for line in self.code.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push(Command {
                    command: command.to_owned(),
                    output: String::new(),
                });
            } else {
                let last = commands.last_mut().expect("`$ ` and a command come first");
                last.output.push_str(line);
                last.output.push('\n');
            }
        }
        commands
    }
}

/// The text of a comment.
fn comment_in(html: &str) -> Option<String> {
    let text = html.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    Some(text.trim().to_owned())
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|char| match char {
            ' ' => Some('-'),
            '-' | '_' => Some(char),
            _ if char.is_alphanumeric() => Some(char.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Command, Page};

    const TEXT: &str = "\
# `Slot<D>` and a_b - c

## Twice

<!-- cargo run -->
![a picture](pictures/a.svg)

```c client.c
int x;
```

## Twice

See [this](b.md#twice).

```console
$ one
two
$ three
```
";

    fn page() -> Page {
        Page {
            path: "a.md".into(),
            text: TEXT.to_owned(),
        }
    }

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!(page().anchors(), ["slotd-and-a_b---c", "twice", "twice-1"]);
    }

    #[test]
    fn a_block_has_a_language_a_note_and_a_line() {
        let blocks = page().blocks_of("c");
        let [block] = &blocks[..] else {
            panic!("{blocks:?}")
        };
        assert_eq!((&*block.note, block.line), ("client.c", 9));
        assert_eq!(block.code, "int x;\n");
    }

    #[test]
    fn a_picture_has_the_command_in_front_of_it() {
        let pictures = page().pictures();
        assert_eq!(pictures[0].file.target, "pictures/a.svg");
        assert_eq!(pictures[0].command.as_deref(), Some("cargo run"));
        let targets: Vec<String> = page().links().into_iter().map(|link| link.target).collect();
        assert_eq!(targets, ["pictures/a.svg", "b.md#twice"]);
    }

    #[test]
    fn a_command_has_its_output() {
        let command = |command: &str, output: &str| Command {
            command: command.into(),
            output: output.into(),
        };
        let expected = [command("one", "two\n"), command("three", "")];
        assert_eq!(page().blocks_of("console")[0].commands(), expected);
    }
}
