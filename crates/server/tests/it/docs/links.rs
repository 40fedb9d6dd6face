//! Links and paths lead somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use super::pages::{Page, ROOT, files, pages};

/// Every relative link is to a file or folder that is there, and every anchor to a heading of it.
#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    let mut broken = Vec::new();
    let mut followed = 0;
    for page in pages.values() {
        for (line, link) in page.links() {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            if let Err(why) = follow(page, link, &pages) {
                broken.push(format!("{}:{line}: {link}: {why}", page.path));
            }
        }
    }
    assert!(followed > 100, "the links were found");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Whoever comes to either index finds every page.
#[test]
fn the_index_has_every_page() {
    let pages = pages();
    let links = [("", "README.md"), ("docs/", "docs/README.md")].map(|(folder, index)| {
        let links = pages[index].links().into_iter();
        links
            .map(move |(_, link)| format!("{folder}{}", link.split('#').next().unwrap_or_default()))
    });
    let listed: BTreeSet<String> = links.into_iter().flatten().collect();
    let pages = pages.keys().filter(|path| path.starts_with("docs/"));
    let missing: Vec<_> = pages.filter(|path| !listed.contains(*path)).collect();
    assert!(missing.is_empty(), "neither README.md nor docs/README.md leads to {missing:?}");
}

fn follow(page: &Page, link: &str, pages: &BTreeMap<String, Page>) -> Result<(), String> {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(f, a)| (f, Some(a)));
    let target = if file.is_empty() {
        page.path.clone()
    } else {
        let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
        plain(&folder.join(file)).ok_or("it leads out of the repository")?
    };
    if !Path::new(ROOT).join(&target).exists() {
        return Err("there is no such file".to_owned());
    }
    let Some(anchor) = anchor else { return Ok(()) };
    let target = pages.get(&target).ok_or("only pages have anchors")?;
    let anchors = target.anchors();
    if anchors.iter().any(|known| known == anchor) {
        Ok(())
    } else {
        Err(format!("of {anchors:?} none is that"))
    }
}

/// A path without `..`, unless it leads out of the repository.
fn plain(path: &Path) -> Option<String> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => plain.pop().then_some(())?,
            Component::CurDir => {}
            Component::Normal(name) => plain.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    plain.to_str().map(str::to_owned)
}

/// Kinds of file that are named without their whole path.
const ENDS: [&str; 8] = [".rs", ".sh", ".mjs", ".cfg", ".service", ".toml", ".yml", ".md"];

/// The README says what is here in their place.
const OF_THE_ORIGINAL: [&str; 2] =
    ["scratch/simple-test-client.js", "scratch/test-shttp-client.ts"];

/// What between backticks looks like a path of the repository is one: `crates/store/src/contract`,
/// `app/routes.rs`, `crates/features/src/{tools,prompts}/`.
#[test]
fn every_path_that_is_named_is_there() {
    let files = files();
    let folders = files.iter().filter_map(|file| Some(file.split_once('/')?.0));
    // `tools/list` is a method; paths there are known by their ends.
    let folders: BTreeSet<&str> = folders.filter(|folder| *folder != "tools").collect();
    let (mut missing, mut looked_up) = (Vec::new(), 0);
    for page in pages().values() {
        // What the page itself has its reader make.
        let marks = page.blocks.iter().filter_map(|block| block.mark.as_deref());
        let made: Vec<_> = marks.filter_map(|mark| mark.strip_prefix("file ")).collect();
        for (line, span) in page.spans() {
            let is_path = span.chars().all(|c| c.is_ascii_alphanumeric() || "_-./{},*".contains(c));
            let first = span.split('/').next().unwrap_or_default();
            let from_root = span.contains('/') && folders.contains(first);
            let is_file = ENDS.iter().any(|end| span.len() > end.len() && span.ends_with(end));
            let is_anothers = made.contains(&span) || OF_THE_ORIGINAL.contains(&span);
            if !is_path || is_anothers || !(from_root || is_file) {
                continue;
            }
            looked_up += 1;
            for path in braces(span) {
                let path = path.trim_end_matches(['/', '*']);
                let is_there = files.iter().any(|file| match file.strip_prefix(path) {
                    Some(rest) => rest.is_empty() || rest.starts_with('/'),
                    None => !from_root && file.ends_with(&format!("/{path}")),
                });
                if !is_there {
                    missing.push(format!("{}:{line}: {path}", page.path));
                }
            }
        }
    }
    assert!(looked_up > 60, "the paths were found");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// `a/{b,c}` is `a/b` and `a/c`.
fn braces(path: &str) -> Vec<String> {
    let parts = path.split_once('{').and_then(|(before, rest)| {
        let (choices, after) = rest.split_once('}')?;
        Some((before, choices, after))
    });
    match parts {
        Some((before, choices, after)) => {
            choices.split(',').map(|choice| format!("{before}{choice}{after}")).collect()
        }
        None => vec![path.to_owned()],
    }
}
