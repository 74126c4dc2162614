//! The formats for people.

mod lab;

use std::fs;

use roxmltree::Document;

#[test]
fn the_text_tells_the_story_and_ends_well() {
    for order in ["client-first", "provider-first"] {
        let text = lab::output(&format!("--order {order}"));
        for part in [
            "1. ",
            "5. The last call completes the detach",
            "Adder",
            "Summer",
            "T1",
            "T4",
            "NmrRegisterClient",
            "ClientAttachProvider returns STATUS_SUCCESS",
            "ClientDetachProvider returns STATUS_PENDING",
            "add(1): refused, STATUS_DEVICE_NOT_READY",
            "… 4 more calls like these, on T3 and T4 at the same time …",
            "8 into the provider, 8 into the client, 2 refused",
            "2, of which 2 waited for calls in progress",
            "mode=compatible",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        let end = "Everything happened as the contract of the NMR demands.\n";
        assert!(text.ends_with(end), "{text}");
    }
}

#[test]
fn a_part_of_the_story_is_the_same_as_in_the_whole() {
    let whole = lab::output("");
    let part = lab::output("--sections 2,5");
    for heading in ["2. Adder registers", "5. The last call"] {
        let text = |all: &str| {
            let (_, rest) = all.split_once(heading).unwrap();
            let end = rest.find("\n\n").unwrap();
            let (_, steps) = rest[end + 2..].split_once('T').unwrap();
            steps.split("\n\n").next().unwrap().to_owned()
        };
        assert_eq!(text(&part), text(&whole));
    }
    for heading in ["1. ", "3. ", "4. ", "6. "] {
        assert!(!part.contains(&format!("\n{heading}")), "{part}");
    }
    assert_eq!(
        lab::complaint("--sections 7", 2),
        "cargo-nmr: there is no section 7, but 1 to 6\n"
    );
}

#[test]
fn a_thousand_calls_are_not_longer_to_read() {
    let lines = |arguments| lab::output(arguments).lines().count();
    assert_eq!(lines("--threads 2 --calls 1000"), lines(""));
    assert!(lines("--threads 64") < lines("") + 10);
}

#[test]
fn the_default_story_is_the_same_every_time() {
    for format in ["text", "mermaid", "svg"] {
        for order in ["client-first", "provider-first"] {
            let arguments = format!("--format {format} --order {order}");
            let first = lab::output(&arguments);
            for _ in 0..10 {
                assert_eq!(lab::output(&arguments), first);
            }
        }
    }
}

#[test]
fn the_picture_in_the_documentation_is_that_of_the_default_story() {
    let kept = fs::read_to_string(lab::project("docs/attach.svg")).unwrap();
    assert!(
        kept == lab::output("--format svg"),
        "make it anew: cargo run -- --format svg --output docs/attach.svg"
    );
}

#[test]
fn the_picture_is_well_formed_and_inside_its_frame() {
    for arguments in [
        "",
        "--threads 40 --calls 9 --seed 3",
        "--decline",
        "--decline=provider",
    ] {
        let text = lab::output(&format!("--format svg {arguments}"));
        let picture = Document::parse(&text).unwrap();
        let root = picture.root_element();
        assert_eq!(root.tag_name().name(), "svg");
        let number = |node: roxmltree::Node<'_, '_>, name| {
            node.attribute(name)
                .and_then(|value| value.parse::<i32>().ok())
        };
        let size = [
            number(root, "width").unwrap(),
            number(root, "height").unwrap(),
        ];
        for node in root.descendants() {
            for (names, most) in [(["x", "x1", "x2"], size[0]), (["y", "y1", "y2"], size[1])] {
                for place in names.iter().filter_map(|name| number(node, name)) {
                    assert!((0..=most).contains(&place), "{node:?}");
                }
            }
        }
        assert_no_reference_outside(&text);
    }
}

/// A picture that needs nothing else: no file, no font, no script.
fn assert_no_reference_outside(text: &str) {
    let without_names = text.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http", "href", "@import", "<script", "<image"] {
        assert!(!without_names.contains(outside), "{outside}");
    }
}

#[test]
fn no_two_labels_of_the_picture_are_in_one_place() {
    let text = lab::output("--format svg --threads 5 --seed 3");
    let picture = Document::parse(&text).unwrap();
    let mut places = Vec::new();
    for node in picture
        .descendants()
        .filter(|node| node.tag_name().name() == "text")
    {
        let place = (node.attribute("x").unwrap(), node.attribute("y").unwrap());
        assert!(!places.contains(&place), "{:?}", node.text());
        places.push(place);
    }
}

#[test]
fn the_diagram_for_markdown_has_only_statements_that_mermaid_knows() {
    for arguments in [
        "",
        "--order client-first --seed 3 --threads 9",
        "--decline=provider",
    ] {
        let text = lab::output(&format!("--format mermaid {arguments}"));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("---"));
        assert!(lines.next().unwrap().starts_with("title: How "));
        assert_eq!(lines.next(), Some("---"));
        assert_eq!(lines.next(), Some("sequenceDiagram"));
        let mut participants = 0;
        for line in lines {
            assert!(is_statement(line.trim(), &mut participants), "{line}");
        }
        assert_eq!(participants, 3);
    }
}

/// Returns `true` if a line declares the next participant, is a note over known ones, or a message between
/// them, with a text that ends nothing.
fn is_statement(line: &str, participants: &mut usize) -> bool {
    let known = |name: &str| {
        let number = name
            .strip_prefix('P')
            .and_then(|number| number.parse().ok());
        number.is_some_and(|number: usize| number < *participants)
    };
    if let Some(declared) = line.strip_prefix("participant ") {
        let next = declared.starts_with(&format!("P{participants} as "));
        *participants += 1;
        return next;
    }
    let Some((head, text)) = line.split_once(": ") else {
        return false;
    };
    let harmless = !text.is_empty() && !text.contains([';', '<', '>']);
    if let Some(over) = head.strip_prefix("Note over ") {
        return harmless && over.split(',').all(known);
    }
    let arrows = ["-->>", "->>", "--x"];
    let message = arrows.iter().find_map(|arrow| head.split_once(arrow));
    harmless && message.is_some_and(|(from, to)| known(from) && known(to))
}

#[test]
fn there_is_no_colour_in_a_pipe_or_a_file() {
    for format in ["text", "json", "mermaid", "svg"] {
        assert!(
            !lab::output(&format!("--format {format}")).contains('\u{1b}'),
            "{format}"
        );
    }
    let file = lab::scratch("plain.txt");
    let mut command = lab::command();
    command
        .env("CLICOLOR_FORCE", "1")
        .arg("--output")
        .arg(&file);
    assert!(command.status().unwrap().success());
    assert!(!fs::read_to_string(file).unwrap().contains('\u{1b}'));
}
