//! `demo://resource/static/document/{file}`: short texts about this server.

use rmcp::model::{
    Annotations, Resource, ResourceContents,
    Role::{Assistant, User},
};

use super::{Entry, Reading};
use crate::{Glyph, freshness::Freshness};

const MARKDOWN: &str = "text/markdown";

/// The texts that are files: name, title, what it is about, content.
const FILES: [(&str, &str, &str, &str); 5] = [
    (
        "architecture.md",
        "Architecture",
        "The one idea, and the crates",
        include_str!("../../documents/architecture.md"),
    ),
    (
        "extension.md",
        "Extension",
        "How to write another tool",
        include_str!("../../documents/extension.md"),
    ),
    (
        "how-it-works.md",
        "How it works",
        "What happens when a client calls a tool",
        include_str!("../../documents/how-it-works.md"),
    ),
    (
        "startup.md",
        "Startup",
        "What happens from the start to the first request, and at the end",
        include_str!("../../documents/startup.md"),
    ),
    (
        "structure.md",
        "Structure",
        "Where in the source what is",
        include_str!("../../documents/structure.md"),
    ),
];

/// All of them: the files, what a client is told with the handshake, and the list of what there is.
pub(crate) fn all(instructions: &str, features: &str) -> Vec<Entry> {
    let told = "What a client is told with the handshake";
    let listed = "Every tool, prompt and resource, as this server lists them";
    let made = [
        ("features.md", "Features", listed, features.to_owned()),
        ("instructions.md", "Instructions", told, format!("# Instructions\n\n{instructions}\n")),
    ];
    let files = FILES.map(|(name, title, about, text)| (name, title, about, text.to_owned()));
    let mut documents = [files.as_slice(), &made].concat();
    documents.sort_unstable_by_key(|(name, ..)| *name);
    documents
        .into_iter()
        .map(|(name, title, about, text)| entry(name, title, about, text))
        .collect()
}

fn entry(name: &str, title: &str, about: &str, text: String) -> Entry {
    let uri = format!("demo://resource/static/document/{name}");
    let annotations =
        Annotations::default().with_audience(vec![User, Assistant]).with_priority(0.5);
    Entry {
        resource: Resource::new(&uri, name)
            .with_title(title)
            .with_description(about)
            .with_mime_type(MARKDOWN)
            .with_size(text.len() as u64)
            .with_icons(Glyph::Document.icons())
            .with_annotations(annotations),
        reading: Reading {
            contents: ResourceContents::text(text, uri).with_mime_type(MARKDOWN),
            fresh: Freshness::WITH_VERSION,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_that_they_name_are_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut checked = 0;
        for (name, _, _, text) in FILES {
            for path in text.split('`').filter(|path| path.starts_with("crates/")) {
                let ways = match path.split_once("{tools,prompts}") {
                    Some((before, after)) => ["tools", "prompts"]
                        .map(|folder| format!("{before}{folder}{after}"))
                        .to_vec(),
                    None => vec![path.to_owned()],
                };
                for way in ways {
                    assert!(root.join(&way).exists(), "{name} names {way}");
                    checked += 1;
                }
            }
        }
        assert!(checked > 8, "paths were found");
    }
}
