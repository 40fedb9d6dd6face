//! docs/tutorial.md, step by step, in a copy of the sources.

use std::{fs, path::Path, process::Command};

use super::pages::{Page, ROOT, files};

/// What is built stays, and is built again only where it changed. It has a folder of its own: Cargo takes
/// the crates of the copy for those that it is a copy of.
const TARGET: &str = env!("CARGO_TARGET_TMPDIR");

#[test]
fn the_tutorial_leads_to_a_tool_that_works() {
    let copy = Path::new(TARGET).join("tutorial");
    let mut texts = Vec::new();
    for file in files().into_iter().filter(|file| is_needed(file)) {
        let bytes = fs::read(Path::new(ROOT).join(&file)).unwrap();
        texts.push((file, bytes));
    }
    let page = Page::read("docs/tutorial.md".to_owned());
    let mut steps = 0;
    for block in &page.blocks {
        let Some(mark) = &block.mark else { continue };
        follow(mark, &block.text, &mut texts);
        steps += 1;
    }
    assert!(steps > 8, "the steps were found");
    // What another set of crates left is not built with this one.
    let lock = texts.iter().find(|(file, _)| file == "Cargo.lock").map(|(_, bytes)| bytes.clone());
    if copy.exists() && fs::read(copy.join("Cargo.lock")).ok() != lock {
        fs::remove_dir_all(&copy).unwrap();
    }
    for (file, bytes) in &texts {
        let path = copy.join(file);
        // Whatever is newer is built anew.
        if fs::read(&path).ok().as_ref() != Some(bytes) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    let said = test(&copy);
    for name in ["the_user_says_how", "each_cup_is_reported", "there_is_a_limit"] {
        assert!(said.contains(&format!("brew_tea::{name} ... ok")), "{said}");
    }
    assert!(!said.contains("warning: "), "{said}");
}

/// Of the tests called `it` those of the crate that the reader changes; others would be built as well.
fn is_needed(file: &str) -> bool {
    let of_another = file.contains("/tests/it/") && !file.starts_with("crates/features/");
    !of_another && !file.starts_with("tools/")
}

/// Does what the comment before a block says to the files.
fn follow(mark: &str, block: &str, texts: &mut Vec<(String, Vec<u8>)>) {
    if let Some(file) = mark.strip_prefix("file ") {
        assert!(texts.iter().all(|(there, _)| there != file), "{file} is new");
        texts.push((file.to_owned(), block.as_bytes().to_owned()));
        return;
    }
    let (file, what) = mark.strip_prefix("in ").and_then(|rest| rest.split_once(", ")).expect(mark);
    let (_, bytes) = texts.iter_mut().find(|(there, _)| there == file).expect(mark);
    let text = String::from_utf8(bytes.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let place = |line: &str| lines.iter().position(|there| there.trim() == line).expect(mark);
    let (how, where_) = what.split_once(": ").expect(mark);
    let (from, to) = match how {
        "after" => (place(where_) + 1, place(where_) + 1),
        "for" => (place(where_), place(where_) + 1),
        "fn" => {
            let begin = format!("fn {where_}(");
            let from = lines.iter().position(|line| line.contains(&begin)).expect(mark);
            let length = lines[from..].iter().position(|line| *line == "    }").expect(mark);
            (from, from + length + 1)
        }
        _ => panic!("{mark}"),
    };
    let changed =
        lines[..from].iter().copied().chain(block.lines()).chain(lines[to..].iter().copied());
    *bytes = (changed.collect::<Vec<_>>().join("\n") + "\n").into_bytes();
}

/// What `cargo test` says.
fn test(copy: &Path) -> String {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--offline", "-p", "mcp-everything-features", "--test", "it", "brew_tea"])
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", Path::new(TARGET).join("tutorial-target"));
    // What the test runner says of this crate is not for another build.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "NEXTEST"]
            .iter()
            .any(|of| name.starts_with(of))
        {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    said
}
