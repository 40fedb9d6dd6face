//! The resources on a user's shelf: `demo://document/notes`, a document that its user changes, and
//! `demo://resource/session/{name}`, files that were compressed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::{Annotations, Resource, ResourceContents};

use super::Reading;
use crate::{
    freshness::Freshness,
    glyph::Glyph,
    shelf::{Shelf, ShelfItem, Shelved},
    time::rfc3339,
};

/// The name of the document on the shelf; its URI is no file's.
pub(crate) const NOTES: &str = "notes";

const NOTES_URI: &str = "demo://document/notes";
const FILES: &str = "demo://resource/session/";
/// Files stand beside the document on the shelf, with this before their names.
const FILE: &str = "file:";

/// What the document says before anybody changed it.
const UNWRITTEN: &str = "Nothing is written here yet. The tool updateDocument changes that.\n";

/// The name on the shelf of the file `name`.
pub(crate) fn file(name: &str) -> String {
    format!("{FILE}{name}")
}

/// The URI of what has this name on the shelf.
pub(crate) fn uri(name: &str) -> String {
    match name.strip_prefix(FILE) {
        Some(file) => format!("{FILES}{file}"),
        None => NOTES_URI.to_owned(),
    }
}

/// The name that what has this URI would have on the shelf, if it is the URI of something there.
pub(crate) fn name(uri: &str) -> Option<String> {
    if uri == NOTES_URI {
        return Some(NOTES.to_owned());
    }
    uri.strip_prefix(FILES).filter(|name| is_name(name)).map(file)
}

/// Whether a file may be called this: what needs no encoding in a URI.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(fits) && !matches!(name, "." | "..")
}

/// What is on a shelf, as clients see it. The document is always there.
pub(crate) fn listed(shelf: &Shelf) -> Vec<Resource> {
    let notes = describe(NOTES, shelf.items.get(NOTES).copied());
    let files = shelf.items.iter().filter(|(name, _)| *name != NOTES);
    std::iter::once(notes).chain(files.map(|(name, item)| describe(name, Some(*item)))).collect()
}

/// What clients see of an item, or of the document nobody has changed.
pub(crate) fn describe(name: &str, item: Option<Shelved>) -> Resource {
    let resource = match name.strip_prefix(FILE) {
        Some(file) => Resource::new(uri(name), file)
            .with_title(file)
            .with_description("A file that you compressed with gzipFileAsResource")
            .with_mime_type("application/gzip")
            .with_icons(Glyph::Data.icons()),
        None => Resource::new(uri(name), NOTES)
            .with_title("Your notes")
            .with_description("A document of yours that changes: updateDocument writes it anew")
            .with_mime_type("text/plain")
            .with_icons(Glyph::Document.icons()),
    };
    let Some(Shelved { bytes, at }) = item else {
        return resource.with_size(UNWRITTEN.len() as u64);
    };
    let mut annotations = Annotations::default();
    annotations.last_modified = Some(rfc3339(at));
    let mut resource = resource.with_size(bytes as u64);
    resource.annotations = Some(annotations);
    resource
}

/// What is in an item; nothing stands for the document nobody has changed. `None`: there is no
/// such thing.
pub(crate) fn read(name: &str, item: Option<ShelfItem>) -> Option<Reading> {
    let contents = match (name.strip_prefix(FILE), item) {
        (Some(_), Some(item)) => file_contents(name, &item.data),
        (Some(_), None) => return None,
        (None, item) => {
            let text = item.map_or_else(
                || UNWRITTEN.to_owned(),
                |item| String::from_utf8_lossy(&item.data).into_owned(),
            );
            ResourceContents::text(text, uri(name)).with_mime_type("text/plain")
        }
    };
    Some(Reading { contents, fresh: Freshness::OWN })
}

/// A compressed file, with the name it has on the shelf.
pub(crate) fn file_contents(name: &str, data: &[u8]) -> ResourceContents {
    ResourceContents::blob(STANDARD.encode(data), uri(name)).with_mime_type("application/gzip")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_uris_are_each_others() {
        for item in [NOTES.to_owned(), file("a.gz"), file(NOTES), file("x".repeat(64).as_str())] {
            assert_eq!(name(&uri(&item)), Some(item));
        }
        for wrong in [
            "demo://document/notes2",
            "demo://document/",
            "demo://resource/session/",
            "demo://resource/session/a/b",
            "demo://resource/session/..",
            "demo://resource/session/a%20b",
            "demo://resource/session/a b",
        ] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
        assert!(!is_name(&"x".repeat(65)));
    }

    #[test]
    fn the_document_is_there_before_anybody_writes_it() {
        let listed = listed(&Shelf::default());
        assert_eq!(listed.len(), 1);
        let read = read(NOTES, None).unwrap();
        let text = serde_json::json!(read.contents);
        assert_eq!(text["uri"], listed[0].uri);
        assert_eq!(text["text"].as_str().unwrap().len() as u64, listed[0].size.unwrap());
        assert!(super::read(&file("a"), None).is_none());
    }
}
