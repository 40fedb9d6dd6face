//! The pages of the repository, taken apart.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

pub(super) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// What is no part of the repository but may be in its folder.
const NOT_OURS: [&str; 3] = [".git", "node_modules", "target"];

/// A Markdown file.
pub(super) struct Page {
    /// From the root of the repository.
    pub(super) path: String,
    /// Its lines outside code blocks, with their numbers.
    pub(super) prose: Vec<(usize, String)>,
    pub(super) blocks: Vec<Block>,
}

/// A fenced code block.
pub(super) struct Block {
    /// The number of its first line.
    pub(super) line: usize,
    /// What is behind the fence.
    pub(super) language: String,
    /// What a comment in the line before says of it: `<!-- run -->` is `run`.
    pub(super) mark: Option<String>,
    pub(super) text: String,
}

/// All files of the repository, from its root.
pub(super) fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(ROOT)];
    while let Some(folder) = folders.pop() {
        // What `make tools` installs; the lists beside it are ours.
        let has_installed = folder.ends_with("tools/python");
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if NOT_OURS.iter().any(|not| path.ends_with(not)) {
                continue;
            }
            if !path.is_dir() {
                found.push(path.strip_prefix(ROOT).unwrap().to_str().unwrap().to_owned());
            } else if !has_installed {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All pages, by their path from the root.
pub(super) fn pages() -> BTreeMap<String, Page> {
    let is_page = |path: &String| Path::new(path).extension().is_some_and(|of| of == "md");
    let pages = files().into_iter().filter(is_page).map(|path| (path.clone(), Page::read(path)));
    let pages: BTreeMap<_, _> = pages.collect();
    assert!(pages.len() > 25 && pages.contains_key("README.md"), "the pages were found");
    pages
}

impl Page {
    pub(super) fn read(path: String) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(&path)).unwrap();
        let (mut prose, mut blocks) = (Vec::new(), Vec::<Block>::new());
        let mut open: Option<(String, Block)> = None;
        let mut before = "";
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            let bare = line.trim_start();
            if let Some((fence, block)) = &mut open {
                if bare.trim_end() == fence {
                    blocks.extend(open.take().map(|(_, block)| block));
                } else {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            } else if bare.starts_with("```") {
                let (fence, language) =
                    bare.split_at(bare.len() - bare.trim_start_matches('`').len());
                let mark = before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
                let block = Block {
                    line: number + 1,
                    language: language.trim().to_owned(),
                    mark: mark.map(str::to_owned),
                    text: String::new(),
                };
                open = Some((fence.to_owned(), block));
            } else {
                prose.push((number, line.to_owned()));
            }
            before = line;
        }
        assert!(open.is_none(), "{path} has a code block without an end");
        Self { path, prose, blocks }
    }

    /// What is between backticks outside code blocks, with the number of the line.
    pub(super) fn spans(&self) -> impl Iterator<Item = (usize, &str)> {
        self.prose.iter().flat_map(|(number, line)| {
            line.split('`').skip(1).step_by(2).map(move |span| (*number, span))
        })
    }

    /// The lines of all code blocks of these languages, with their numbers.
    pub(super) fn code<'a>(
        &'a self,
        languages: &'a [&str],
    ) -> impl Iterator<Item = (usize, &'a str)> {
        let blocks = self.blocks.iter();
        let blocks = blocks.filter(|block| languages.contains(&block.language.as_str()));
        blocks.flat_map(|block| {
            block.text.lines().enumerate().map(|(n, line)| (block.line + n, line))
        })
    }

    /// What can be pointed at: its headings as GitHub spells them.
    pub(super) fn anchors(&self) -> Vec<String> {
        let mut anchors = Vec::<String>::new();
        for (_, line) in &self.prose {
            let heading = line.trim_start_matches('#');
            let level = line.len() - heading.len();
            if (1..=6).contains(&level) && heading.starts_with(' ') {
                let slug = slug(heading);
                let again = (1..).map(|n| format!("{slug}-{n}"));
                let free =
                    std::iter::once(slug.clone()).chain(again).find(|a| !anchors.contains(a));
                anchors.extend(free);
            }
        }
        anchors
    }

    /// Where its links lead, with the numbers of their lines: what is between `](` and `)`, but not
    /// in backticks.
    pub(super) fn links(&self) -> Vec<(usize, &str)> {
        let mut links = Vec::new();
        for (number, line) in &self.prose {
            for (place, _) in line.match_indices("](") {
                let (before, rest) = line.split_at(place);
                let target = rest[2..].split([')', ' ']).next().unwrap_or_default();
                if before.matches('`').count().is_multiple_of(2) {
                    links.push((*number, target));
                }
            }
        }
        links
    }
}

/// A heading as GitHub makes an anchor of it.
fn slug(heading: &str) -> String {
    let mut shown = String::new();
    let mut rest = heading;
    // Of a link its text is shown.
    while let Some((before, linked)) = rest.split_once('[') {
        let Some((text, (_, after))) =
            linked.split_once("](").and_then(|(text, to)| Some((text, to.split_once(')')?)))
        else {
            break;
        };
        shown.extend([before, text]);
        rest = after;
    }
    shown.push_str(rest);
    let kept = shown.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn anchors_are_spelt_as_github_does() {
    for (heading, anchor) in [
        (" From nothing to a token", "from-nothing-to-a-token"),
        (" `GET /sse`, and what comes of it", "get-sse-and-what-comes-of-it"),
        (" [Keep](https://example.com) a *Changelog*", "keep-a-changelog"),
        (" A — B", "a--b"),
        (" cap_add: 2026-07-28", "cap_add-2026-07-28"),
    ] {
        assert_eq!(slug(heading), anchor);
    }
}
